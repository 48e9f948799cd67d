# Two instruments for one treatment: iv_robust of estimatr and its diagnostics, and
# Anderson-Rubin ends found by inverting the HC2 test of y - b d with lm_robust.
# Writes instruments.csv and instruments.json beside this script. Run from this folder.
suppressMessages({library(estimatr); library(jsonlite)})
set.seed(711)
n <- 240; school <- sort(sample(1:24, n, TRUE)); area <- school %% 4
offer <- rep_len(0:1, 24)[sample(24)][school]; visit <- rbinom(n, 1, .5)
x <- round(rnorm(n), 4); w <- round(runif(n, .5, 2), 3)
lean <- rnorm(n); taken <- as.integer(lean + 1.1 * offer + .6 * visit + rnorm(24, 0, .3)[school] > 1)
y <- round(10 - 2 * taken + .8 * x + lean + rnorm(24, 0, .7)[school] + rnorm(n), 4)
d <- data.frame(school, area, offer, visit, x, w, taken, y)
write.csv(d, "instruments.csv", row.names = FALSE, quote = FALSE)
fit <- function(se, weighted, fe, clustered) {
  call <- list(formula = y ~ taken + x | offer + visit + x, data = d, se_type = se, diagnostics = !weighted && !fe)
  if (weighted) call$weights <- d$w
  if (clustered) call$clusters <- d$school
  if (fe) call$fixed_effects <- ~ area
  m <- do.call(iv_robust, call)
  at <- match("taken", m$term)
  out <- list(estimate = m$coefficients[[at]], se = m$std.error[[at]], df = m$df[[at]])
  if (!weighted && !fe) out <- c(out, list(weak = unname(m$diagnostic_first_stage_fstatistic),
    endogeneity = unname(m$diagnostic_endogeneity_test), overid = unname(m$diagnostic_overid_test)))
  out
}
expected <- list()
for (se in c("classical", "HC0", "HC1", "HC2", "HC3")) expected[[se]] <- fit(se, FALSE, FALSE, FALSE)
for (se in c("CR0", "stata", "CR2")) {
  expected[[se]] <- fit(se, FALSE, FALSE, TRUE)
  expected[[paste0(se, " weighted")]] <- fit(se, TRUE, FALSE, TRUE)
  expected[[paste0(se, " absorbed")]] <- fit(se, FALSE, TRUE, TRUE)
}
for (se in c("HC0", "HC2")) expected[[paste0(se, " weighted")]] <- fit(se, TRUE, FALSE, FALSE)
for (se in c("HC0", "HC1")) expected[[paste0(se, " absorbed")]] <- fit(se, FALSE, TRUE, FALSE)
# Anderson-Rubin with one instrument, HC2: b is kept while |t| of offer in y - b taken ~ offer + x is small.
excess <- function(b) {
  d$gap <- d$y - b * d$taken
  m <- lm_robust(gap ~ offer + x, d, se_type = "HC2")
  abs(m$statistic[["offer"]]) - qt(.975, m$df[["offer"]])
}
middle <- iv_robust(y ~ taken + x | offer + x, d)$coefficients[["taken"]]
ends <- c(uniroot(excess, c(middle - 20, middle), tol = 1e-12)$root, uniroot(excess, c(middle, middle + 20), tol = 1e-12)$root)
# The same with both instruments: F of offer and visit.
both <- function(b) {
  d$gap <- d$y - b * d$taken
  m <- lm_robust(gap ~ offer + visit + x, d, se_type = "HC2")
  k <- c("offer", "visit"); v <- m$vcov[k, k]
  as.numeric(m$coefficients[k] %*% solve(v, m$coefficients[k])) / 2 - qf(.95, 2, nrow(d) - 4)
}
centre <- optimize(both, c(-10, 10), tol = 1e-10)$minimum
two <- c(uniroot(both, c(centre - 20, centre), tol = 1e-12)$root, uniroot(both, c(centre, centre + 20), tol = 1e-12)$root)
writeLines(toJSON(list(made_with = list(R = as.character(getRversion()), estimatr = as.character(packageVersion("estimatr"))),
  expected = list(fits = expected, anderson_rubin = ends, anderson_rubin_two = two)), digits = NA, auto_unbox = TRUE, pretty = TRUE), "instruments.json")
