# References for crossed terms with many levels. Run in tests/reference, after crossed_data.py:
# Rscript crossed.R. Needs lme4 and jsonlite. Writes crossed.json.
suppressMessages({library(lme4); library(jsonlite)})
d <- read.csv(file.path("crossed", "ratings.csv"))
formulas <- list(
  scalar = "%s ~ x + (1 | who) + (1 | what)",
  slopes = "%s ~ x + (1 + x | who) + (1 + x | what)")
control <- list(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9))
fit <- function(kind, f, dev=FALSE) {
  if (kind == "liked")
    glmer(f, d, family=binomial, devFunOnly=dev, control=do.call(glmerControl, c(control, tolPwrss=1e-13)))
  else lmer(f, d, REML=kind == "reml", devFunOnly=dev, control=do.call(lmerControl, control))
}
given <- list(scalar=c(.4, .8), slopes=c(.4, .1, .2, .8, -.1, .3))
one <- function(kind, name) {
  f <- as.formula(sprintf(formulas[[name]], if (kind == "liked") "liked" else "y"))
  m <- fit(kind, f); dev <- fit(kind, f, TRUE)
  at <- if (kind == "liked") c(given[[name]], .1, .2) else given[[name]]
  list(kind=kind, formula=deparse1(f), given=at, objective=dev(at), theta=unname(getME(m, "theta")),
       beta=unname(fixef(m)), neg2loglik=-2 * as.numeric(logLik(m)),
       sd_what=head(as.data.frame(ranef(m))[as.data.frame(ranef(m))$grpvar == "what", "condsd"], 5),
       what=head(ranef(m)$what[, 1], 5))
}
cases <- list()
for (kind in c("reml", "ml", "liked")) for (name in names(formulas))
  cases[[paste(kind, name)]] <- one(kind, name)
write_json(list(versions=list(R=as.character(getRversion()), lme4=as.character(packageVersion("lme4"))),
                cases=cases), "crossed.json", digits=NA, auto_unbox=TRUE, pretty=TRUE)
