# References for families, links and structures that the lectures' data do not have.
# Run in tests/reference, after structures_data.py:  Rscript structures.R
# Needs lme4, glmmTMB, arm, numDeriv, jsonlite. Writes structures.json.
suppressMessages({library(lme4); library(glmmTMB); library(jsonlite)})

data <- lapply(c(gaussian="gaussian", binary="binary", counts="counts"), function(name)
  read.csv(file.path("structures", paste0(name, ".csv")), stringsAsFactors=TRUE))
# tolPwrss: at 1e-10 the modes, and with them the Laplace objective of a link that is not canonical,
# are only good to 1e-7 of its value; at 1e-13 to 1e-8.
tight_lmer <- lmerControl(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9))
tight_glmer <- glmerControl(optimizer="bobyqa", optCtrl=list(maxfun=1e6, rhoend=1e-9),
                            tolPwrss=1e-13)

num <- function(x) unname(as.numeric(x))
labelled <- function(x) as.list(x)
rows <- function(m) lapply(seq_len(nrow(m)), function(i) num(m[i, ]))

# --- one fit, and its -2 log-likelihood as a function of the parameters ---------------------

fit_of <- function(s, dev=FALSE) {
  a <- list(formula=as.formula(s$formula), data=data[[s$data]], devFunOnly=dev)
  if (!is.null(s$weights)) a$weights <- data[[s$data]][[s$weights]]
  if (!is.null(s$offset)) a$offset <- data[[s$data]][[s$offset]]
  if (s$family == "gaussian") {
    do.call(lmer, c(a, list(REML=s$REML, control=tight_lmer)))
  } else {
    family <- do.call(s$family, list(link=s$link))
    do.call(glmer, c(a, list(family=family, nAGQ=s$nAGQ, control=tight_glmer)))
  }
}

# With nAGQ > 1 lme4 works with deviance residuals: its function, and its logLik, lack the log
# density of the saturated model. Everything stored under "objective" and "m2ll" has it back:
# it is -2 log of the marginal density of y, counting constants included.
saturated <- function(fit, s) {
  if (s$nAGQ == 1 || s$family == "gaussian") return(0)
  y <- getME(fit, "y"); w <- weights(fit)
  if (s$family == "poisson") sum(w * dpois(y, y, log=TRUE))
  else sum(dbinom(round(w * y), round(w), y, log=TRUE))
}

# The same by brute force, for one scalar term with groups g (no weights, no trials): the integral
# over each group's effect by R's integrate().
brute <- function(s, theta, beta) {
  d <- data[[s$data]]
  X <- model.matrix(as.formula(s$fixed), d)
  eta <- drop(X %*% beta) + if (is.null(s$offset)) 0 else d[[s$offset]]
  y <- d[[s$response]]
  inv <- do.call(s$family, list(link=s$link))$linkinv
  logf <- function(y, mu) if (s$family == "poisson") dpois(y, mu, log=TRUE)
                          else ifelse(y == 1, log(mu), log1p(-mu))
  one <- function(i) {
    g <- function(u) sapply(u, function(v) sum(logf(y[i], inv(eta[i] + theta * v))) - v^2 / 2)
    top <- optimize(g, c(-6, 6), maximum=TRUE)
    f <- function(u) exp(g(u) - top$objective)
    m <- top$maximum
    total <- integrate(f, m - 4, m, rel.tol=1e-11)$value + integrate(f, m, m + 4, rel.tol=1e-11)$value
    top$objective + log(total) - log(2 * pi) / 2
  }
  -2 * sum(sapply(split(seq_along(y), d$g), one))
}

others <- function(theta, beta, diagonal) list(
  list(theta=ifelse(diagonal, 0.7 * theta + 0.05, 0.5 * theta), beta=1.1 * beta - 0.1),
  list(theta=ifelse(diagonal, 1.4 * theta + 0.1, 1.2 * theta - 0.05), beta=0.8 * beta + 0.2))

objectives <- function(s, fit) {
  dev <- fit_of(s, dev=TRUE)
  theta <- num(getME(fit, "theta")); beta <- num(fixef(fit))
  points <- c(list(list(theta=theta, beta=beta)), others(theta, beta, getME(fit, "lower") == 0))
  lapply(points, function(p) {
    x <- if (s$family == "gaussian") p$theta else c(p$theta, p$beta)
    out <- list(theta=I(p$theta), beta=I(p$beta), m2ll=dev(x) - 2 * saturated(fit, s))
    if (s$family == "gaussian") out$beta <- NULL
    if (isTRUE(s$brute)) out$brute <- brute(s, p$theta, p$beta)
    out
  })
}

# Standard errors by Richardson extrapolation of the Hessian in (theta, beta): lme4's own are
# from one step of 1e-4 in each direction, where the tolerance of the modes is noise.
richardson <- function(s, fit) {
  if (s$family == "gaussian" || isSingular(fit)) return(NULL)
  x <- c(getME(fit, "theta"), fixef(fit))
  H <- numDeriv::hessian(fit_of(s, dev=TRUE), x, method.args=list(d=0.1, eps=0.1, r=4))
  sqrt(diag(solve(H / 2)))
}

conditional_deviance <- function(fit, s) {
  if (s$family != "gaussian") return(deviance(fit))
  -2 * sum(dnorm(getME(fit, "y"), fitted(fit), sigma(fit) / sqrt(weights(fit)), log=TRUE))
}

modes <- function(fit) {
  r <- as.data.frame(ranef(fit, condVar=TRUE))
  r[] <- lapply(r, function(v) if (is.factor(v)) as.character(v) else v)
  r
}

post_var <- function(fit) lapply(ranef(fit, condVar=TRUE), function(r) {
  v <- attr(r, "postVar")
  if (is.list(v)) lapply(v, function(p) lapply(seq_len(dim(p)[3]), function(i) rows(as.matrix(p[,,i]))))
  else lapply(seq_len(dim(v)[3]), function(i) rows(matrix(v[,,i], dim(v)[1])))
})

dump <- function(s) {
  said <- character()
  fit <- withCallingHandlers(fit_of(s), warning=function(w) {
    said <<- c(said, conditionMessage(w)); invokeRestart("muffleWarning") })
  out <- s[setdiff(names(s), c("fixed", "response", "brute"))]
  theta <- getME(fit, "theta")
  out <- c(out, list(
    warnings=I(said), nobs=nobs(fit), fixef=labelled(fixef(fit)),
    se=labelled(sqrt(diag(as.matrix(vcov(fit))))), se_richardson=richardson(s, fit),
    vcov=rows(as.matrix(vcov(fit))), theta=I(num(theta)), theta_names=I(names(theta)),
    sigma=sigma(fit), varcorr=as.data.frame(VarCorr(fit)),
    logLik=num(logLik(fit)), m2ll=-2 * num(logLik(fit)) - 2 * saturated(fit, s),
    AIC=AIC(fit), BIC=BIC(fit), conditional_deviance=conditional_deviance(fit, s),
    REML_criterion=if (s$family == "gaussian" && s$REML) REMLcrit(fit),
    singular=isSingular(fit), ranef=modes(fit), post_var=post_var(fit),
    fitted=num(fitted(fit)), objective=objectives(s, fit)))
  if (s$family == "gaussian") out$residuals_response <- num(residuals(fit, type="response"))
  else out <- c(out, list(
    residuals_deviance=num(residuals(fit, type="deviance")),
    residuals_pearson=num(residuals(fit, type="pearson")), glmmTMB=tmb(s)))
  cat(sprintf("%-24s m2ll %.6f  theta %s %s\n", s$name, out$m2ll,
      paste(round(theta, 4), collapse=" "), paste(said, collapse="; ")))
  out[!vapply(out, is.null, TRUE)]
}

# glmmTMB's Laplace approximation takes the observed information; for a link that is not
# canonical its objective is another function than lme4's.
tmb <- function(s) {
  if (s$nAGQ > 1) return(NULL)
  frame <- data[[s$data]]
  a <- list(formula=as.formula(sub("(x || g)", "(1 | g) + (0 + x | g)", s$formula, fixed=TRUE)), data=frame,
            family=do.call(s$family, list(link=s$link)),
            control=glmmTMBControl(optCtrl=list(rel.tol=1e-14, x.tol=1e-12, iter.max=2000, eval.max=2000)))
  if (!is.null(s$weights)) a$weights <- frame[[s$weights]]
  if (!is.null(s$offset)) a$offset <- frame[[s$offset]]
  fit <- suppressWarnings(do.call(glmmTMB, a))
  vc <- do.call(rbind, lapply(names(VarCorr(fit)$cond), function(g) {
    v <- VarCorr(fit)$cond[[g]]
    data.frame(group=sub("\\.1$", "", g), term=rownames(v), sd=unname(attr(v, "stddev")),
               corr=if (nrow(v) == 2) c(NA, attr(v, "correlation")[2, 1]) else NA)
  }))
  list(fixef=labelled(fixef(fit)$cond), se=labelled(sqrt(diag(vcov(fit)$cond))), varcorr=vc,
       m2ll=-2 * num(logLik(fit)), largest_gradient=max(abs(fit$obj$gr(fit$fit$par))))
}

# --- the fits -----------------------------------------------------------------------------

lmm <- function(name, formula, REML, ...) list(name=paste0(name, if (REML) "_reml" else "_ml"),
  formula=formula, formula_python=formula, data="gaussian", family="gaussian", link="identity",
  REML=REML, nAGQ=1, ...)
both <- function(name, formula, ...) list(lmm(name, formula, TRUE, ...), lmm(name, formula, FALSE, ...))
glmm <- function(name, formula, data, family, link, nAGQ=1, python=formula, ...) list(
  name=paste0(name, if (nAGQ > 1) paste0("_agq", nAGQ)), formula=formula, formula_python=python,
  data=data, family=family, link=link, REML=FALSE, nAGQ=nAGQ, ...)
logit <- function(name, formula, ...) list(glmm(paste0("logit_", name), formula, "binary", "binomial", "logit", ...))
probit <- function(name, formula, ...) list(glmm(paste0("probit_", name), formula, "binary", "binomial", "probit", ...))
cloglog <- function(name, formula, ...) list(glmm(paste0("cloglog_", name), formula, "binary", "binomial", "cloglog", ...))
pois <- function(name, formula, ...) list(glmm(paste0("poisson_", name), formula, "counts", "poisson", "log", ...))
nodes <- function(make, name, response) unlist(lapply(c(1, 2, 5, 9, 25), function(q)
  make(name, paste(response, "~ x + (1 | g)"), nAGQ=q, brute=TRUE, response=response, fixed="~ x")), FALSE)

specs <- c(
  both("scalar", "y_scalar ~ x + (1 | g)"),
  both("slopes", "y_slopes ~ x + (1 + x | g)"),
  both("uncorrelated", "y_apart ~ x + (x || g)"),
  both("nested", "y_nested ~ x + (1 | a/b)"),
  both("crossed", "y_crossed ~ x + (1 | g) + (1 | h)"),
  both("three", "y_three ~ x + (1 | g) + (1 | h) + (1 | k)"),
  both("slopes_crossed", "y_both ~ x + (1 + x | g) + (1 | h)"),
  both("weights", "y_weights ~ x + (1 | g)", weights="w"),
  both("offset", "y_offset ~ x + (1 | g)", offset="o"),
  both("factor", "y_factor ~ x * z + (1 | g)"),
  both("factor_slopes", "y_factor ~ x + z + (1 + z | g)"),
  both("singular", "y_flat ~ x + (1 | g)"),
  both("singular_slopes", "y_aligned ~ x + (1 + x | g)"),
  logit("scalar", "y_scalar ~ x + (1 | g)", brute=TRUE, response="y_scalar", fixed="~ x"),
  logit("scalar0", "y_scalar ~ 1 + (1 | g)"),
  logit("nested", "y_nested ~ x + (1 | a/b)"),
  logit("crossed", "y_crossed ~ x + (1 | g) + (1 | h)"),
  logit("three", "y_three ~ x + (1 | g) + (1 | h) + (1 | k)"),
  logit("slopes", "y_slopes ~ x + (1 + x | g)"),
  logit("uncorrelated", "y_apart ~ x + (x || g)"),
  logit("slopes_crossed", "y_both ~ x + (1 + x | g) + (1 | h)"),
  logit("factor", "y_factor ~ x * z + (1 | g)"),
  logit("offset", "y_offset ~ x + (1 | g)", offset="o"),
  # a 0/1 response with whole-number weights w: w equal outcomes, that is cbind(w * y, w * (1 - y))
  logit("weights", "y_crossed ~ x + (1 | g) + (1 | h)", weights="w"),
  logit("trials", "cbind(y_trials, trials - y_trials) ~ x + (1 | g) + (1 | h)",
        python="p(y_trials, trials) ~ x + (1 | g) + (1 | h)"),
  logit("trials_scalar", "cbind(y_trials, trials - y_trials) ~ x + (1 | g)",
        python="p(y_trials, trials) ~ x + (1 | g)"),
  logit("trials_scalar", "cbind(y_trials, trials - y_trials) ~ x + (1 | g)",
        python="p(y_trials, trials) ~ x + (1 | g)", nAGQ=9),
  logit("singular", "y_aligned ~ x + (1 + x | g)"),
  nodes(probit, "scalar", "y_probit_scalar"),
  probit("slopes", "y_probit_slopes ~ x + (1 + x | g)"),
  probit("crossed", "y_probit_crossed ~ x + (1 | g) + (1 | h)"),
  nodes(cloglog, "scalar", "y_cloglog_scalar"),
  cloglog("slopes", "y_cloglog_slopes ~ x + (1 + x | g)"),
  cloglog("crossed", "y_cloglog_crossed ~ x + (1 | g) + (1 | h)"),
  nodes(pois, "scalar", "y_scalar"),
  pois("crossed", "y_crossed ~ x + (1 | g) + (1 | h)"),
  pois("nested", "y_nested ~ x + (1 | a/b)"),
  pois("slopes", "y_slopes ~ x + (1 + x | g)"),
  pois("uncorrelated", "y_apart ~ x + (x || g)"),
  pois("offset", "y_offset ~ x + (1 | g)", offset="log_exposure"))
names(specs) <- vapply(specs, `[[`, "", "name")
fits <- lapply(specs, dump)

# --- intervals, predictions, likelihood ratios ------------------------------------------------

profiled <- c("scalar_ml", "crossed_ml", "poisson_scalar")
profiles <- lapply(setNames(profiled, profiled), function(name) {
  # lme4 finds an end from a spline through the points of the profile; delta is their distance
  ci <- confint(profile(fit_of(specs[[name]]), delta=0.1, signames=FALSE), level=0.9)
  lapply(setNames(rownames(ci), rownames(ci)), function(r) num(ci[r, ]))
})

predict_of <- function(name, keep) {
  s <- specs[[name]]; fit <- fit_of(s); d <- data[[s$data]]
  new <- d[c(3, 50, 120, 121, 200), c("x", "z", "g", "h", "k", "a", "b", "w", "o")]
  new$x <- c(-1, -0.5, 0, 0.75, 2)
  new$g <- as.character(new$g)
  seen <- new; strange <- new; strange$g[c(2, 4)] <- "g99"
  type <- if (s$family == "gaussian") "link" else "response"
  f <- function(...) num(predict(fit, ..., type=type))
  list(fit=name, seen=seen, strange=strange, keep=keep, kept_all=f(seen), kept_none=f(seen, re.form=NA),
       kept_some=f(seen, re.form=as.formula(keep)),
       link_some=num(predict(fit, seen, re.form=as.formula(keep), type="link")),
       strange_population=f(strange, allow.new.levels=TRUE))
}
predictions <- list(predict_of("slopes_crossed_reml", "~ (1 | g)"), predict_of("logit_crossed", "~ (1 | g)"),
                    predict_of("cloglog_crossed", "~ (1 | h)"))

compare <- function(simple, full) {
  t <- anova(fit_of(simple), fit_of(full), refit=FALSE)
  list(simple=simple$formula, full=full$formula, data=simple$data, family=simple$family, link=simple$link,
       npar=t$npar, AIC=t$AIC, BIC=t$BIC, logLik=t$logLik, m2ll=t$deviance,
       chisq=t$Chisq[2], df=t$Df[2], p_value=t$`Pr(>Chisq)`[2])
}
with_formula <- function(s, formula) { s$formula <- formula; s }
comparisons <- list(
  compare(with_formula(specs$slopes_ml, "y_slopes ~ x + (1 | g)"), specs$slopes_ml),
  compare(with_formula(specs$logit_factor, "y_factor ~ x + (1 | g)"), specs$logit_factor))

versions <- lapply(setNames(nm=c("lme4", "glmmTMB", "Matrix", "minqa", "numDeriv", "jsonlite")),
                   function(p) as.character(packageVersion(p)))
notes <- list(
  m2ll="-2 log-likelihood (REML fits: the REML criterion), counting constants included",
  objective="m2ll at the fit's own and two other parameter points: for lmer at theta, beta and sigma profiled out (REML: restricted); for glmer at (theta, beta); brute: the same by integrate()",
  logLik="as logLik() says; for nAGQ > 1 that lacks the log density of the saturated model, which m2ll has",
  laplace="lme4's Laplace takes the expected information: for probit and cloglog the log-determinant differs from that of glmmTMB, which takes the observed information",
  se="lme4's own: for glmer from a finite-difference Hessian; se_richardson is extrapolated, theta first",
  conditional_deviance="glmer: deviance(fit). lmer: -2 log density of y given the modes, sigma estimated")
write(toJSON(list(R=R.version.string, versions=versions, notes=notes, fits=unname(fits), profiles=profiles,
                  predictions=predictions, comparisons=comparisons),
             digits=NA, auto_unbox=TRUE, na="null", dataframe="columns"), "structures.json")
