# References for degrees of freedom and shares of explained variance.
# Run in tests/reference, after structures_data.py:  Rscript summaries.R
# Needs lme4, lmerTest, performance, insight, jsonlite. Writes summaries.json.
suppressMessages({library(lme4); library(lmerTest); library(performance); library(insight); library(jsonlite)})

data <- lapply(c(gaussian="gaussian", binary="binary", counts="counts"), function(name)
  read.csv(file.path("structures", paste0(name, ".csv")), stringsAsFactors=TRUE))
tight_lmer <- lmerControl(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9))
tight_glmer <- glmerControl(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9),
                            tolPwrss=1e-13)

# --- Satterthwaite's degrees of freedom ------------------------------------------------------

linear <- function(formula, REML, weights=NULL, offset=NULL) {
  a <- list(formula=as.formula(formula), data=data$gaussian, REML=REML, control=tight_lmer)
  if (!is.null(weights)) a$weights <- data$gaussian[[weights]]
  if (!is.null(offset)) a$offset <- data$gaussian[[offset]]
  do.call(lme4::lmer, a)
}
tested <- list()
for (REML in c(TRUE, FALSE)) for (s in list(
  list(formula="y_scalar ~ x + (1 | g)"),
  list(formula="y_slopes ~ x + (1 + x | g)"),
  list(formula="y_slopes ~ x + (1 | g)"),
  list(formula="y_apart ~ x + (1 + x || g)"),
  list(formula="y_nested ~ x + (1 | a/b)"),
  list(formula="y_crossed ~ x + (1 | g) + (1 | h)"),
  list(formula="y_three ~ x + (1 | g) + (1 | h) + (1 | k)"),
  list(formula="y_both ~ x + (1 + x | g) + (1 | h)"),
  list(formula="y_factor ~ z + x + (1 | g)"),
  list(formula="y_weights ~ x + (1 | g)", weights="w"),
  list(formula="y_offset ~ x + (1 | g)", offset="o"),
  list(formula="y_crossed ~ x + (1 | g) + (1 | k)"),
  list(formula="y_flat ~ x + (1 | g)"))) {
  fit <- suppressMessages(linear(s$formula, REML, s$weights, s$offset))
  table <- coef(summary(as_lmerModLmerTest(fit)))
  tested[[length(tested) + 1]] <- c(s, list(REML=REML, singular=isSingular(fit),
    names=rownames(table), estimate=unname(table[, 1]), std_error=unname(table[, 2]),
    df=unname(table[, 3]), t=unname(table[, 4]), p=unname(table[, 5])))
}

# --- Nakagawa's R2 ---------------------------------------------------------------------------
# For counts insight takes the mean from a model without predictors, exp(its intercept); stored
# are insight's variances of the fixed and the random part, and the approximations of Nakagawa,
# Johnson & Schielzeth (2017), table 2, with the mean averaged over the observations.

counted <- function(fit, fixed, random) {
  eta <- drop(getME(fit, "X") %*% fixef(fit)) + getME(fit, "offset")
  lambda <- mean(exp(eta + random / 2))
  own <- list(lognormal=log1p(1 / lambda), delta=1 / lambda, trigamma=trigamma(lambda))
  lapply(own, function(v) c(fixed, fixed + random) / (fixed + random + v))
}
# Not here: (1 + x || g), of which this insight takes the variance of the first part alone.
shares <- list()
for (s in list(
  list(data="gaussian", formula="y_scalar ~ x + (1 | g)"),
  list(data="gaussian", formula="y_slopes ~ x + (1 + x | g)"),
  list(data="gaussian", formula="y_nested ~ x + (1 | a/b)"),
  list(data="gaussian", formula="y_both ~ x + (1 + x | g) + (1 | h)"),
  list(data="gaussian", formula="y_factor ~ z + x + (1 | g)"),
  list(data="gaussian", formula="y_offset ~ x + (1 | g)", offset="o"),
  list(data="binary", formula="y_scalar ~ x + (1 | g)", link="logit"),
  list(data="binary", formula="y_scalar ~ x + (1 | g)", link="probit"),
  list(data="binary", formula="y_scalar ~ x + (1 | g)", link="cloglog"),
  list(data="binary", formula="y_slopes ~ x + (1 + x | g)", link="logit"),
  list(data="binary", formula="cbind(y_trials, trials - y_trials) ~ x + (1 | g) + (1 | h)", link="logit"),
  list(data="counts", formula="y_scalar ~ x + (1 | g)", link="log"),
  list(data="counts", formula="y_slopes ~ x + (1 + x | g)", link="log"))) {
  d <- data[[s$data]]
  a <- list(formula=as.formula(s$formula), data=d)
  if (!is.null(s$offset)) a$offset <- d[[s$offset]]
  fit <- if (s$data == "gaussian") do.call(lme4::lmer, c(a, list(control=tight_lmer))) else
    do.call(glmer, c(a, list(control=tight_glmer, family=do.call(
      if (s$data == "binary") "binomial" else "poisson", list(link=s$link)))))
  v <- suppressWarnings(get_variance(fit))
  out <- c(s, list(var_fixed=unname(v$var.fixed), var_random=unname(v$var.random)))
  if (s$data == "counts") out$approximations <- counted(fit, v$var.fixed, v$var.random) else {
    r <- r2_nakagawa(fit)
    out$marginal <- unname(r$R2_marginal); out$conditional <- unname(r$R2_conditional)
  }
  shares[[length(shares) + 1]] <- out
}

version <- function(name) as.character(packageVersion(name))
write(toJSON(list(R=R.version.string, lme4=version("lme4"), lmerTest=version("lmerTest"),
                  performance=version("performance"), insight=version("insight"),
                  tested=tested, shares=shares), digits=NA, auto_unbox=TRUE), "summaries.json")
