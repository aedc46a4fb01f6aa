# References for (f || g), diag(f | g), (1 | a*b), p(s, 40) and an empty cell of a*b.
# Run in tests/reference, after double_bars_data.py:  Rscript double_bars.R
# Needs lme4, glmmTMB, jsonlite. Writes double_bars.json.
suppressMessages({library(lme4); library(glmmTMB); library(jsonlite)})

d <- read.csv("structures/factors.csv", stringsAsFactors=TRUE)
d$n <- 40
tight <- lmerControl(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9),
                     check.conv.singular="ignore", check.conv.grad="ignore",
                     check.conv.hess="ignore")
tight_glmer <- glmerControl(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9),
                            check.conv.singular="ignore", check.conv.grad="ignore",
                            check.conv.hess="ignore", tolPwrss=1e-13)

covariances <- function(v) lapply(v, function(m) {
  m <- as.matrix(m); list(names=rownames(m), covariance=unname(m))
})

by_lme4 <- function(python, formula, family, REML=FALSE, reorder=NULL) {
  if (!is.null(reorder)) d$f <- factor(d$f, levels=reorder)
  fit <- if (family == "gaussian") lmer(as.formula(formula), d, REML=REML, control=tight)
         else glmer(as.formula(formula), d, family=binomial, control=tight_glmer)
  list(by="lme4", formula=python, family=family, REML=REML, levels=reorder,
       logLik=as.numeric(logLik(fit)), df=attr(logLik(fit), "df"), fixef=as.list(fixef(fit)),
       se=as.list(sqrt(diag(as.matrix(vcov(fit))))), covariance=covariances(VarCorr(fit)),
       groups=sub("\\.[0-9]+$", "", names(VarCorr(fit))),
       sigma=sigma(fit), fitted=unname(fitted(fit))[1:40],
       dropped=attr(getME(fit, "X"), "col.dropped"))
}

by_glmmTMB <- function(python, formula, family, REML=FALSE, reorder=NULL) {
  if (!is.null(reorder)) d$f <- factor(d$f, levels=reorder)
  fit <- glmmTMB(as.formula(formula), d, REML=REML,
                 family=if (family == "gaussian") gaussian() else binomial(),
                 control=glmmTMBControl(optimizer=nlminb,
                                        optCtrl=list(iter.max=1e4, eval.max=1e4, rel.tol=1e-14)))
  v <- VarCorr(fit)$cond
  list(by="glmmTMB", formula=python, family=family, REML=REML, levels=reorder,
       logLik=as.numeric(logLik(fit)), df=attr(logLik(fit), "df"),
       fixef=as.list(fixef(fit)$cond), se=as.list(sqrt(diag(vcov(fit)$cond))),
       covariance=covariances(v), groups=names(v),
       sigma=if (family == "gaussian") sigma(fit) else 1)
}

fits <- list()
add <- function(...) fits[[length(fits) + 1]] <<- list(...)[[1]]
for (REML in c(TRUE, FALSE)) {
  for (lhs in c("x", "f", "0 + f", "f + h", "x * h", "f:x", "0 + f + x"))
    add(by_lme4(sprintf("y ~ f + x + (%s || g)", lhs), sprintf("y ~ f + x + (%s || g)", lhs),
                "gaussian", REML))
  add(by_lme4("y ~ f + x + (f || g)", "y ~ f + x + (f || g)", "gaussian", REML,
              reorder=c("cedar", "ash", "birch")))
  for (lhs in c("f", "0 + f", "x", "f + x", "f * x"))
    add(by_glmmTMB(sprintf("y ~ f + x + diag(%s | g)", lhs),
                   sprintf("y ~ f + x + diag(%s | g)", lhs), "gaussian", REML))
  for (order in list(c("birch", "ash", "cedar"), c("cedar", "birch", "ash")))
    for (lhs in c("f", "0 + f"))
      add(by_glmmTMB(sprintf("y ~ f + x + diag(%s | g)", lhs),
                     sprintf("y ~ f + x + diag(%s | g)", lhs), "gaussian", REML, reorder=order))
  add(by_lme4("y ~ f + x + (1 | h*k)", "y ~ f + x + (1 | h) + (1 | k) + (1 | h:k)",
              "gaussian", REML))
  add(by_lme4("y ~ e * h + x + (1 | g)", "y ~ e * h + x + (1 | g)", "gaussian", REML))
}
add(by_lme4("b ~ f + x + (f || g)", "b ~ f + x + (f || g)", "binomial"))
add(by_lme4("b ~ f + x + (x || g)", "b ~ f + x + (x || g)", "binomial"))
add(by_glmmTMB("b ~ f + x + diag(f | g)", "b ~ f + x + diag(f | g)", "binomial"))
add(by_glmmTMB("b ~ f + x + diag(0 + f | g)", "b ~ f + x + diag(0 + f | g)", "binomial"))
add(by_lme4("b ~ e * h + x + (1 | g)", "b ~ e * h + x + (1 | g)", "binomial"))
add(by_lme4("p(s, 40) ~ x + (1 | g)", "cbind(s, n - s) ~ x + (1 | g)", "binomial"))
add(by_lme4("p(s, 40) ~ x + (1 | k*h)", "cbind(s, n - s) ~ x + (1 | k) + (1 | h) + (1 | k:h)",
            "binomial"))

versions <- list(R=R.version.string, lme4=as.character(packageVersion("lme4")),
                 glmmTMB=as.character(packageVersion("glmmTMB")))
write_json(list(versions=versions, fits=fits), "double_bars.json", digits=NA, auto_unbox=TRUE,
           null="null", pretty=FALSE)
