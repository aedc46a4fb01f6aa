# Several comparisons at once, by multcomp: Holm's p values, and single-step p values and intervals
# from the largest of correlated ratios. Rscript tests/reference/several.R, in this folder's parent.
suppressPackageStartupMessages({library(lme4); library(multcomp); library(jsonlite)})
set.seed(20)
n <- 160
data <- data.frame(g = rep(1:16, each = 10), arm = sample(c("a", "b", "c", "d"), n, TRUE),
                   x = round(rnorm(n), 3))
eta <- 0.3 * data$x + c(a = 0, b = 0.5, c = 0.8, d = 0.2)[data$arm] + rnorm(16, 0, 0.6)[data$g]
data$y <- round(eta + rnorm(n), 3)
data$k <- rpois(n, exp(0.5 + 0.5 * eta))
data$z <- rbinom(n, 1, plogis(eta))
factored <- transform(data, arm = factor(arm))
# a looser PIRLS leaves 0.4 per cent in the standard errors, which are finite differences
precise <- glmerControl(tolPwrss = 1e-10)
fits <- list(
  gaussian = lmer(y ~ arm + x + (1 | g), factored),
  poisson = glmer(k ~ arm + x + (1 | g), factored, family = poisson, control = precise),
  binomial = glmer(z ~ arm + x + (1 | g), factored, family = binomial, control = precise)
)
answers <- lapply(fits, function(fit) {
  tests <- glht(fit, linfct = mcp(arm = "Tukey"))
  step <- summary(tests)
  limits <- confint(tests, level = 0.9)$confint
  list(contrast = names(step$test$coefficients), estimate = unname(step$test$coefficients),
       std_error = unname(step$test$sigma), single_step = as.numeric(step$test$pvalues),
       holm = as.numeric(summary(tests, test = adjusted("holm"))$test$pvalues),
       conf_low = unname(limits[, "lwr"]), conf_high = unname(limits[, "upr"]),
       quantile = attr(limits, "calpha"))
})
write_json(list(data = data, answers = answers, versions = list(
  R = R.version.string, lme4 = as.character(packageVersion("lme4")),
  multcomp = as.character(packageVersion("multcomp")))),
  "tests/reference/several.json", digits = 10, dataframe = "columns", auto_unbox = TRUE)
