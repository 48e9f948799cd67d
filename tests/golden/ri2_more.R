# Exact randomisation tests by ri2 0.5.1 (MIT), beyond its documentation's example.
# Run in this folder: Rscript ri2_more.R; writes ri2_more.csv and ri2_more.json.
suppressMessages(library(ri2))
set.seed(11)

n <- 20
block <- rep(c("a", "b", "c"), c(4, 6, 10))
school <- rep(1:8, c(1, 2, 2, 2, 3, 3, 3, 4))
y <- round(rnorm(n, 10, 2), 2)
first <- 1:10 # the studentised and the plain case use the first ten rows

plain <- declare_ra(N = 10, m = 4)
z_plain <- c(1, 0, 1, 0, 0, 1, 0, 0, 1, 0)
blocked <- declare_ra(blocks = block, block_m = c(2, 2, 3))
z_blocked <- c(1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0)
clustered <- declare_ra(clusters = school, m = 4)
z_clustered <- as.integer(school %in% c(2, 3, 6, 8))

# Outcomes that treatment moved, so that the tests do not all say nothing.
d <- data.frame(y_plain = c(y[first] + 2.5 * z_plain, rep(NA, 10)), z_plain = c(z_plain, rep(NA, 10)),
                y_blocked = y + 1.5 * z_blocked, z_blocked, block,
                y_clustered = y + 2 * z_clustered, z_clustered, school)
write.csv(d, "ri2_more.csv", row.names = FALSE)

p <- function(formula, declaration, assignment, data, ...) {
  s <- summary(conduct_ri(formula, declaration = declaration, assignment = assignment,
                          sharp_hypothesis = 0, data = data, sims = 20000, ...))
  list(estimate = s$estimate, p = s$two_tailed_p_value)
}
d$z <- d$z_plain; plain_data <- d[first, ]
out <- list(
  studentised = p(y_plain ~ z, plain, "z", plain_data, studentize = TRUE),
  plain = p(y_plain ~ z, plain, "z", plain_data)
)
d$z <- d$z_blocked
out$blocked_unequal <- p(y_blocked ~ z, blocked, "z", d)
d$z <- d$z_clustered
out$clustered <- p(y_clustered ~ z, clustered, "z", d)
out$permutations <- list(plain = choose(10, 4), blocked = choose(4, 2) * choose(6, 2) * choose(10, 3), clustered = choose(8, 4))
cat(jsonlite::toJSON(out, auto_unbox = TRUE, digits = NA, pretty = TRUE), file = "ri2_more.json")
