# References for intervals and residuals that structures.R does not have.
# Run in tests/reference, after structures_data.py:  Rscript inference.R
# Needs lme4 and jsonlite. Writes inference.json.
suppressMessages({library(lme4); library(jsonlite)})

csv <- function(...) read.csv(file.path(...), stringsAsFactors=TRUE)
gaussian <- csv("structures", "gaussian.csv")
binary <- csv("structures", "binary.csv")
counts <- csv("structures", "counts.csv")
finland <- csv("..", "..", "hierwidgets", "data", "finland.csv")
uk <- csv("..", "..", "hierwidgets", "data", "uk.csv")
for (name in c("finland", "uk")) {
  d <- get(name); d$contacted <- as.integer(d$contacted == "Contacted"); assign(name, d)
}
tight <- glmerControl(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9), tolPwrss=1e-13)
tight_lmer <- lmerControl(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9))

# lme4 finds an end from a spline through the points of the profile; delta is their distance.
profiled <- function(fit, level) {
  ci <- confint(profile(fit, delta=0.1, signames=FALSE), level=level)
  lapply(setNames(rownames(ci), rownames(ci)), function(r) unname(ci[r, ]))
}
fits <- list(
  finland=glmer(contacted ~ 1 + (1 | district_id), finland, binomial, nAGQ=25, control=tight),
  uk=glmer(contacted ~ district_competitiveness + (1 | district_id), uk, binomial, control=tight),
  poisson=glmer(y_scalar ~ x + (1 | g), counts, poisson, control=tight),
  slopes=lmer(y_slopes ~ x + (1 + x | g), gaussian, REML=FALSE, control=tight_lmer),
  singular=lmer(y_flat ~ x + (1 | g), gaussian, REML=FALSE, control=tight_lmer))
profiles <- lapply(fits, profiled, level=0.95)

kinds <- c("response", "pearson", "deviance")
residuals_of <- function(fit) lapply(setNames(kinds, kinds), function(k) unname(residuals(fit, type=k)))
residuals <- list(
  binary=residuals_of(glmer(y_scalar ~ x + (1 | g), binary, binomial, control=tight)),
  trials=residuals_of(glmer(cbind(y_trials, trials - y_trials) ~ x + (1 | g) + (1 | h), binary,
                            binomial, control=tight)),
  counts=residuals_of(glmer(y_scalar ~ x + (1 | g), counts, poisson, control=tight)),
  weighted=residuals_of(lmer(y_weights ~ x + (1 | g), gaussian, weights=w, REML=FALSE, control=tight_lmer)))

write(toJSON(list(R=R.version.string, lme4=as.character(packageVersion("lme4")),
                  profiles=profiles, residuals=residuals), digits=NA, auto_unbox=TRUE), "inference.json")
