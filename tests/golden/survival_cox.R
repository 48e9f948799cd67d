# Writes survival_cox.json: Cox fits, tests of proportional hazards and cumulative means by R's survival.
# The data are survival::lung and survival::cgd, which the shared golden case survival_lung_cgd holds as CSV.
library(survival)
library(jsonlite)
out <- list(package = "survival", version = as.character(packageVersion("survival")), r = R.version.string)
for (ties in c("efron", "breslow")) {
  lung_fit <- coxph(Surv(time, status) ~ sex + age, lung, ties = ties)
  cgd_fit <- coxph(Surv(tstart, tstop, status) ~ treat + age + strata(sex) + cluster(id), cgd, ties = ties)
  weighted <- coxph(Surv(time, status) ~ sex + age, lung, weights = 1 + (age > 60), robust = TRUE, ties = ties)
  zph <- cox.zph(lung_fit)$table
  out[[ties]] <- list(
    lung = list(coef = unname(coef(lung_fit)), se = sqrt(diag(lung_fit$var)), loglik = lung_fit$loglik,
                zph_chisq = unname(zph[, "chisq"]), zph_p = unname(zph[, "p"])),
    cgd_stratified = list(coef = unname(coef(cgd_fit)), robust_se = sqrt(diag(cgd_fit$var)), loglik = cgd_fit$loglik,
                          zph_chisq = unname(cox.zph(cgd_fit)$table[, "chisq"])),
    lung_weighted = list(coef = unname(coef(weighted)), robust_se = sqrt(diag(weighted$var)))
  )
}
mcf <- survfit(Surv(tstart, tstop, status) ~ treat, cgd, id = id, cluster = id)
last <- summary(mcf, times = c(100, 200, 300))
out$mean_cumulative <- list(time = last$time, cumhaz = last$cumhaz, std_chaz = last$std.chaz, strata = as.character(last$strata))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "survival_cox.json")
