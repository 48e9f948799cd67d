# Effect sizes from R's own parts: lme4 2-level models, metafor's standardised mean difference.
# Writes effect_sizes_clusters.csv, effect_sizes_sites.csv and effect_sizes.json beside this script.
# Run from this folder: Rscript effect_sizes.R
suppressMessages({library(lme4); library(metafor); library(jsonlite)})
set.seed(20260519)
strict <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e5))

# 24 schools of unequal size (5 to 42 pupils), ICC about 0.15, a baseline measure.
M <- 24; size <- sample(5:42, M); arm <- sample(rep(0:1, M / 2))
school <- rep(1:M, size); z <- arm[school]
x <- round(rnorm(M, 0, .5)[school] + rnorm(sum(size)), 4)
y <- round(50 + 3 * z + 5 * x + rnorm(M, 0, 4)[school] + rnorm(sum(size), 0, 9), 4)
clusters <- data.frame(school, z, x, y)
write.csv(clusters, "effect_sizes_clusters.csv", row.names = FALSE, quote = FALSE)

# 12 sites, people randomised within each, effects that vary between sites.
S <- 12; size <- sample(20:70, S); site <- rep(1:S, size)
w <- unlist(lapply(size, function(n) sample(rep_len(0:1, n))))
u <- round(rnorm(sum(size)), 4)
v <- round(20 + rnorm(S, 0, 3)[site] + (2 + rnorm(S, 0, 1.5)[site]) * w + 2 * u + rnorm(sum(size), 0, 6), 4)
sites <- data.frame(site, z = w, x = u, y = v)
write.csv(sites, "effect_sizes_sites.csv", row.names = FALSE, quote = FALSE)

parts <- function(fit) {
  vc <- as.data.frame(VarCorr(fit))
  list(beta = unname(fixef(fit)), se = unname(sqrt(diag(as.matrix(vcov(fit))))),
       between = vc$vcov[1], residual = sigma(fit)^2, criterion = unname(REMLcrit(fit)),
       covariance = vc$vcov[vc$grp != "Residual"])
}
one <- function(f) parts(lmer(f, clusters, control = strict))
two <- function(f) parts(lmer(f, sites, control = strict))
profile_icc <- local({
  fit <- lmer(y ~ z + (1 | school), clusters, control = strict)
  ratio <- function(theta) {  # REML deviance with the ratio of standard deviations held at theta
    d <- lmer(y ~ z + (1 | school), clusters, devFunOnly = TRUE); d(theta)
  }
  least <- REMLcrit(fit); top <- getME(fit, "theta")
  limit <- function(a, b) uniroot(function(t) ratio(t) - least - qchisq(.95, 1), c(a, b), tol = 1e-12)$root
  ends <- c(limit(1e-6, top), limit(top, 10 * top)); ends^2 / (1 + ends^2)
})
n <- table(clusters$z); m <- tapply(clusters$y, clusters$z, mean); s <- tapply(clusters$y, clusters$z, sd)
smd <- escalc("SMD", m1i = m["1"], m2i = m["0"], sd1i = s["1"], sd2i = s["0"], n1i = n["1"], n2i = n["0"], vtype = "LS2")
adjusted <- lm(y ~ z + x, clusters)
# g by its definition, with the matrices that the closed forms avoid.
J <- function(v) exp(lgamma(v / 2) - lgamma((v - 1) / 2)) / sqrt(v / 2)
K <- outer(clusters$school, clusters$school, "==") + 0
N <- nrow(clusters); N1 <- sum(clusters$z); N0 <- N - N1
Q <- diag(N) - outer(clusters$z, clusters$z, function(a, b) (a == b) * ifelse(a == 1, 1 / N1, 1 / N0))
contrast <- ifelse(clusters$z == 1, 1 / N1, -1 / N0)
cluster_g <- function(beta, se, between, residual, spread, adjusted) {
  rho <- between / (between + residual)
  s2 <- if (spread == "within") residual else between + residual
  V <- (between * K + residual * diag(N)) / s2
  d <- beta / sqrt(s2)
  first <- if (adjusted) se^2 / s2 else as.numeric(contrast %*% V %*% contrast)
  if (spread == "within") { df <- N - M; second <- d^2 / (2 * df) } else {
    QV <- Q %*% V; e <- sum(diag(QV)); v <- sum(QV * t(QV)); df <- e^2 / v; second <- d^2 * v / (2 * (N - 2) * e) }
  list(g = J(df) * d, se = J(df) * sqrt(first + second), df = df, sd = sqrt(s2))
}
site_g <- function(beta, s2, model) {
  n1 <- tapply(sites$z, sites$site, sum); n <- table(sites$site); h <- n1 * (n - n1) / n
  d <- beta / sqrt(s2); df <- nrow(sites) - 2 * S
  list(g = J(df) * d, se = J(df) * sqrt(1 / sum(s2 / (model$covariance[2] + model$residual / h)) + d^2 / (2 * df)))
}
fits <- list(empty = one(y ~ 1 + (1 | school)), unconditional = one(y ~ z + (1 | school)), conditional = one(y ~ z + x + (1 | school)))
g_cluster <- list(); g_plain <- list()
for (m in names(fits)) for (spread in c("within", "total")) {
  a <- fits$conditional; f <- fits[[m]]; u <- fits$unconditional
  g_cluster[[paste(spread, m)]] <- cluster_g(a$beta[2], a$se[2], f$between, f$residual, spread, TRUE)
  if (m != "conditional") g_plain[[paste(spread, m)]] <- cluster_g(u$beta[2], u$se[2], f$between, f$residual, spread, FALSE)
}
sfits <- list(empty = two(y ~ 1 + (1 | site)), unconditional = two(y ~ z + (1 + z | site)), conditional = two(y ~ z + x + (1 + z | site)))
g_site <- list(); P <- mean(sites$z)
for (m in names(sfits)) { f <- sfits[[m]]; a <- sfits$conditional
  between <- if (m == "empty") f$between else f$between + P * (f$covariance[2] + 2 * f$covariance[3])
  g_site[[paste("within", m)]] <- site_g(a$beta[2], f$residual, a)
  g_site[[paste("total", m)]] <- site_g(a$beta[2], f$residual + between, a) }
expected <- list(g = list(cluster = g_cluster, cluster_unadjusted = g_plain, site = g_site),

  cluster = list(conditional = one(y ~ z + x + (1 | school)), unconditional = one(y ~ z + (1 | school)),
                 empty = one(y ~ 1 + (1 | school)), icc_interval = profile_icc),
  site = list(conditional = two(y ~ z + x + (1 + z | site)), unconditional = two(y ~ z + (1 + z | site)),
              empty = two(y ~ 1 + (1 | site))),
  individual = list(g = as.numeric(smd$yi), variance = as.numeric(smd$vi),
                    adjusted_beta = unname(coef(adjusted)["z"]), adjusted_sd = summary(adjusted)$sigma))
writeLines(toJSON(list(made_with = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")),
  metafor = as.character(packageVersion("metafor"))), expected = expected), digits = NA, auto_unbox = TRUE, pretty = TRUE),
  "effect_sizes.json")
