# Subgroup effects and interactions by estimatr's lm_robust, with HC2 and with CR2 by cluster.
# Run in this folder: Rscript interactions.R; writes interactions.csv and interactions.json.
library(estimatr)
set.seed(5)
n <- 90
cluster <- rep(1:15, 6)
group <- sample(c("black", "white", "asian"), n, TRUE)
x <- rnorm(n)
z_person <- rep(0:1, 45)
z_cluster <- as.integer(cluster %% 2 == 1)
noise <- rnorm(n) + 0.5 * rnorm(15)[cluster]
slope <- c(asian = 0.5, black = -1, white = 0.2)[group]
d <- data.frame(cluster, group, x, z_person, z_cluster,
                y_person = noise + 0.4 * x + slope * z_person, y_cluster = noise + 0.4 * x + slope * z_cluster)
write.csv(d, "interactions.csv", row.names = FALSE)

joint <- function(m, which) {
  b <- m$coefficients[which]
  drop(t(b) %*% solve(m$vcov[which, which]) %*% b) / length(which)
}
rows <- function(m, which) lapply(setNames(which, which), function(w)
  list(value = m$coefficients[[w]], se = m$std.error[[w]], df = m$df[[w]]))
own <- function(m) rows(m, paste0("groupasian:z groupblack:z groupwhite:z") |> strsplit(" ") |> unlist())

fits <- list()
for (kind in c("person", "cluster")) {
  d$z <- d[[paste0("z_", kind)]]
  d$y <- d[[paste0("y_", kind)]]
  d$xc <- d$x - mean(d$x)
  args <- if (kind == "person") list(se_type = "HC2") else list(se_type = "CR2", clusters = d$cluster)
  each <- do.call(lm_robust, c(list(y ~ 0 + group + group:z + xc, data = d), args))
  d$group <- relevel(factor(d$group), "white")
  contrast <- do.call(lm_robust, c(list(y ~ z * group + xc, data = d), args))
  slope <- do.call(lm_robust, c(list(y ~ z * xc, data = d), args))
  d$group <- as.character(d$group)
  fits[[kind]] <- list(
    own = own(each),
    differences = rows(contrast, c("z:groupasian", "z:groupblack")),
    joint_f = joint(contrast, c("z:groupasian", "z:groupblack")),
    slope = rows(slope, c("z", "z:xc"))
  )
}
cat(jsonlite::toJSON(fits, auto_unbox = TRUE, digits = NA, pretty = TRUE), file = "interactions.json")
