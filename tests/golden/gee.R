# Writes gee.csv and gee.json: a generated cluster trial, and what R's clubSandwich, geepack, MASS and sandwich make of it.
suppressMessages({library(clubSandwich); library(geepack); library(MASS); library(sandwich); library(jsonlite); library(lme4); library(lmerTest); library(pbkrtest); library(pscl)})
set.seed(20261)
sizes <- c(4, 6, 9, 11, 14, 15, 18, 22, 25, 30, 7, 40)
cluster <- rep(seq_along(sizes), sizes); n <- length(cluster)
arm <- as.integer(seq_along(sizes) %in% c(1, 4, 5, 8, 9, 12))[cluster]
u <- rnorm(length(sizes), 0, 0.35)[cluster]
age <- round(rnorm(n, 14, 1.8), 1)
exposure <- round(runif(n, 0.3, 1), 3)
count <- rnbinom(n, mu = exposure * exp(0.4 + u - 0.3 * arm + 0.08 * (age - 14)), size = 1.4)
binary <- rbinom(n, 1, plogis(-0.3 + u - 0.5 * arm + 0.15 * (age - 14)))
score <- round(10 + 2 * u - arm + 0.3 * (age - 14) + rnorm(n, 0, 2), 3)
inflated <- rbinom(n, 1, plogis(0.6 - 0.4 * arm)) * rnbinom(n, mu = 3 * exposure * exp(0.05 * (age - 14) - 0.2 * arm), size = 3)
d <- data.frame(cluster, arm, age, exposure, count, binary, score, inflated)
write.csv(d, "gee.csv", row.names = FALSE)
out <- list(r = R.version.string, versions = sapply(c("clubSandwich", "geepack", "MASS", "sandwich", "lme4", "lmerTest", "pbkrtest", "pscl"), function(p) as.character(packageVersion(p))))
cr <- function(fit) { r <- list(coef = unname(coef(fit))); for (t in c("CR0", "CR2", "CR3")) { v <- vcovCR(fit, cluster = d$cluster, type = t); s <- coef_test(fit, vcov = v, test = "Satterthwaite"); r[[t]] <- list(se = s$SE, df = s$df_Satt) }; r }
p <- glm(count ~ arm + age + offset(log(exposure)), poisson, d)
out$poisson <- c(cr(p), list(phi = summary(glm(count ~ arm + age + offset(log(exposure)), quasipoisson, d))$dispersion, model_se = unname(sqrt(diag(vcov(p))))))
l <- glm(binary ~ arm + age, binomial, d); out$logit <- cr(l)
out$logit_arm_alone <- cr(glm(binary ~ arm, binomial, d, control = glm.control(epsilon = 1e-14)))
out$logit$HC <- sapply(c("HC0", "HC1", "HC2", "HC3"), function(t) unname(sqrt(diag(vcovHC(l, t)))))
out$poisson$HC <- sapply(c("HC0", "HC1", "HC2", "HC3"), function(t) unname(sqrt(diag(vcovHC(p, t)))))
nb <- glm.nb(count ~ arm + age + offset(log(exposure)), d, control = glm.control(epsilon = 1e-14, maxit = 200))
out$negative_binomial <- list(coef = unname(coef(nb)), theta = nb$theta, se = unname(sqrt(diag(vcov(nb)))))
for (f in c("poisson", "binomial")) {
  g <- if (f == "poisson") geeglm(count ~ arm + age + offset(log(exposure)), id = cluster, data = d, family = poisson, corstr = "exchangeable", control = geese.control(epsilon = 1e-12, maxit = 200)) else
    geeglm(binary ~ arm + age, id = cluster, data = d, family = binomial, corstr = "exchangeable", control = geese.control(epsilon = 1e-12, maxit = 200))
  out[[paste0("gee_", f)]] <- list(coef = unname(coef(g)), se = unname(sqrt(diag(vcov(g)))), alpha = unname(g$geese$alpha), phi = unname(g$geese$gamma))
}
m <- lmerTest::lmer(score ~ arm + age + (1 | cluster), d, REML = TRUE, control = lmerControl(optCtrl = list(xtol_rel = 1e-12, ftol_abs = 1e-14)))
s <- summary(m)$coefficients; kr <- summary(m, ddf = "Kenward-Roger")$coefficients; vc <- as.data.frame(VarCorr(m))
out$mixed <- list(coef = unname(s[, 1]), se = unname(s[, 2]), df_satterthwaite = unname(s[, 3]), se_kr = unname(kr[, 2]), df_kr = unname(kr[, 3]), between = vc$vcov[1], within = vc$vcov[2], reml = as.numeric(logLik(m)))
v <- vcovCR(as(m, "lmerMod"), cluster = d$cluster, type = "CR2"); out$mixed$cr2 <- as.list(coef_test(as(m, "lmerMod"), vcov = v)[c("SE", "df_Satt")])
for (f in c("poisson", "binomial")) {
  g <- if (f == "poisson") glmer(count ~ arm + age + offset(log(exposure)) + (1 | cluster), d, family = poisson, nAGQ = 25) else glmer(binary ~ arm + age + (1 | cluster), d, family = binomial, nAGQ = 25)
  out[[paste0("glmm_", f)]] <- list(coef = unname(fixef(g)), se = unname(sqrt(diag(vcov(g, use.hessian = TRUE)))), sd = attr(VarCorr(g)$cluster, "stddev")[[1]])
}
g <- glmer.nb(count ~ arm + age + offset(log(exposure)) + (1 | cluster), d)
out$glmm_negative_binomial <- list(coef = unname(fixef(g)), se = unname(sqrt(diag(vcov(g)))), sd = attr(VarCorr(g)$cluster, "stddev")[[1]], theta = getME(g, "glmer.nb.theta"), loglik = as.numeric(logLik(g)))
for (law in c("poisson", "negbin")) {
  z <- zeroinfl(inflated ~ arm + age + offset(log(exposure)) | arm, d, dist = law, control = zeroinfl.control(reltol = 1e-15, maxit = 100000))
  h <- hurdle(inflated ~ arm + age + offset(log(exposure)) | arm, d, dist = law, control = hurdle.control(reltol = 1e-15, maxit = 100000))
  out[[paste0("zero_inflated_", law)]] <- list(coef = unname(coef(z)), se = unname(sqrt(diag(vcov(z)))), theta = z$theta, loglik = as.numeric(logLik(z)), mean = mean(predict(z)))
  out[[paste0("hurdle_", law)]] <- list(coef = unname(coef(h)), se = unname(sqrt(diag(vcov(h)))), theta = unname(h$theta), loglik = as.numeric(logLik(h)), mean = mean(predict(h)))
}
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "gee.json")
