# Times fits of lme4 and glmmTMB on request. Usage: Rscript peers.R FOLDER
# A request is a line "package data repeat REML formula"; the answer a line "ANSWER {json}".
# In place of a package a task may stand, with its size, such as bootstrap:100: what is timed then
# is the task on a fit of lme4, which is made first and not timed.
# What is timed is formula and data frame to fit, with default settings; the first fit is not.
folder <- commandArgs(TRUE)[1]
frames <- list()
frame <- function(name) {
  if (is.null(frames[[name]])) {
    d <- read.csv(file.path(folder, paste0(name, ".csv")), stringsAsFactors = TRUE)
    if ("contacted" %in% names(d)) d$contacted <- as.numeric(d$contacted == "Contacted")
    frames[[name]] <<- d
  }
  frames[[name]]
}
fitter <- list(
  lme4 = function(f, d, gaussian)
    if (gaussian) lme4::lmer(f, data = d) else lme4::glmer(f, data = d, family = binomial),
  glmmTMB = function(f, d, gaussian)
    glmmTMB::glmmTMB(f, data = d, family = if (gaussian) gaussian() else binomial(), REML = gaussian))
tasks <- list(
  profile = function(m, n) confint(m, level = 0.9, method = "profile", quiet = TRUE),
  bootstrap = function(m, n) confint(m, level = 0.9, method = "boot", nsim = n, quiet = TRUE),
  simulate = function(m, n) simulate(m, n, seed = 1),
  predict = function(m, n) {  # as lme4's help for predict and bootMer say
    b <- lme4::bootMer(m, function(fit) predict(fit, type = "response"), nsim = n, use.u = TRUE)
    apply(b$t, 2, quantile, c(.05, .95))
  },
  cross_validate = function(m, n) {
    d <- model.frame(m); fold <- sample(rep_len(seq_len(n), nrow(d)))
    sum(sapply(seq_len(n), function(i) {
      fit <- lme4::glmer(formula(m), data = d[fold != i, ], family = binomial)
      p <- predict(fit, d[fold == i, ], type = "response", allow.new.levels = TRUE)
      sum(dbinom(d[[1]][fold == i], 1, p, log = TRUE))
    }))
  })
objective <- list(
  lme4 = function(fit) -2 * as.numeric(logLik(fit)),
  glmmTMB = function(fit) 2 * fit$fit$objective)  # its logLik is NA where the fit is singular
version <- function(p) if (requireNamespace(p, quietly = TRUE)) as.character(packageVersion(p)) else ""
answer <- function(text) { cat("ANSWER", text, "\n"); flush(stdout()) }

# lme4's crossed designs take as long as its BLAS: R's own takes several times as long as OpenBLAS.
blas <- basename(dirname(extSoftVersion()[["BLAS"]]))
answer(sprintf('{"R": "%s", "BLAS of R": "%s", "lme4": "%s", "glmmTMB": "%s"}',
               getRversion(), blas, version("lme4"), version("glmmTMB")))
input <- file("stdin"); open(input)
while (length(line <- readLines(input, 1)) == 1) {
  part <- regmatches(line, regexec("^(\\S+) (\\S+) (\\d+) (\\d) (.*)$", line))[[1]]
  f <- as.formula(part[6]); d <- frame(part[3]); gaussian <- part[5] == "1"
  seconds <- numeric(0)
  asked <- strsplit(part[2], ":")[[1]]
  if (asked[1] %in% names(tasks)) m <- fitter$lme4(f, d, gaussian)
  for (i in seq_len(as.integer(part[4]))) {
    start <- as.numeric(Sys.time())
    if (asked[1] %in% names(tasks)) {
      suppressMessages(suppressWarnings(tasks[[asked[1]]](m, as.integer(asked[2]))))
      fit <- m
    } else fit <- suppressMessages(suppressWarnings(fitter[[part[2]]](f, d, gaussian)))
    seconds[i] <- as.numeric(Sys.time()) - start
  }
  part[2] <- if (asked[1] %in% names(tasks)) "lme4" else part[2]
  answer(sprintf('{"seconds": [%s], "neg2loglik": %.8f}',
                 paste(sprintf("%.6f", seconds), collapse = ", "), objective[[part[2]]](fit)))
}
