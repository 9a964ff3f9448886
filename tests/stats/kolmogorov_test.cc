// Against scipy (scripts/golden/laws.py): the exact law of D_n, and the limiting one of Cramer and von Mises.
#include "stats/kolmogorov.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "source_dir.h"
#include "stats/shares.h"

namespace driftd::stats {
namespace {

nlohmann::json golden(const char* law) {
  std::ifstream file(std::string(DRIFTD_SOURCE_DIR) + "/tests/golden/laws.json");
  return nlohmann::json::parse(file).at(law);
}

// What the header promises.
TEST(Kolmogorov, IsAsNearTheExactLawAsPromised) {
  int seen = 0;
  for (const auto& row : golden("kolmogorov")) {
    const double n = row[0], d = row[1], exact = row[2];
    EXPECT_NEAR(kolmogorov_tail(d, n), exact, n >= 100 ? 1e-4 : 1e-2) << "n " << n << " d " << d;
    ++seen;
  }
  EXPECT_GT(seen, 100);
}

// Small probabilities decide, so there the ratio counts.
TEST(Kolmogorov, SmallTailsAreNeverTooSmall) {
  int seen = 0;
  for (const auto& row : golden("kolmogorov")) {
    const double n = row[0], d = row[1], exact = row[2];
    if (exact > 1e-3 || exact < 1e-9 || n < 100) continue;
    const double ratio = kolmogorov_tail(d, n) / exact;
    EXPECT_TRUE(ratio > 0.99 && ratio < 1.5) << ratio << ": n " << n << " d " << d;
    ++seen;
  }
  EXPECT_GT(seen, 5);
}

TEST(Kolmogorov, IsAProbabilityThatFallsWithTheDistance) {
  for (const double n : {1.0, 2.0, 10.0, 1234.5, 1e6, 1e12}) {
    EXPECT_EQ(kolmogorov_tail(0, n), 1);
    EXPECT_EQ(kolmogorov_tail(0.5 / n, n), 1) << "no sample is nearer to the law";
    EXPECT_EQ(kolmogorov_tail(1, n), 0);
    double last = 1;
    for (double z = 0; z < 6; z += 0.05) {
      const double p = kolmogorov_tail(z / std::sqrt(n), n);
      ASSERT_TRUE(p >= 0 && p <= 1) << n << " " << z;
      // The two expansions that are joined differ by less than they are wrong.
      EXPECT_LE(p, last + (n >= 10 ? 1e-3 : 1)) << n << " " << z;
      last = p;
    }
  }
}

TEST(Kolmogorov, CramerVonMisesTailIsTheLimitingLaw) {
  for (const auto& row : golden("cramer_von_mises")) {
    const double x = row[0], exact = row[1];
    EXPECT_NEAR(cramer_von_mises_tail(x), exact, 1e-9 + 1e-6 * exact) << x;
  }
  EXPECT_EQ(cramer_von_mises_tail(0), 1);
  EXPECT_EQ(cramer_von_mises_tail(0.003), 1);
  EXPECT_NEAR(cramer_von_mises_tail(0.0031), 1, 1e-6) << "no step where the series begins";
  double last = 1;
  for (double x = 0.003; x < 1e7; x *= 1.07) {  // sums over large windows are large
    const double p = cramer_von_mises_tail(x);
    ASSERT_TRUE(p >= 0 && p <= last) << x << ": " << p << " after " << last;
    last = p;
  }
  EXPECT_EQ(last, 0);
  EXPECT_NEAR(cramer_von_mises_tail(std::nextafter(3.0, 4.0)) / cramer_von_mises_tail(3), 1, 0.02);
}

TEST(Kolmogorov, ChiSquareTailIsTheLaw) {
  for (const auto& row : golden("chi_square")) {
    const double x = row[0], df = row[1], exact = row[2];
    EXPECT_NEAR(chi_square_tail(x, df), exact, 1e-300 + 1e-9 * exact) << x << " " << df;
  }
  EXPECT_EQ(chi_square_tail(5, 0), 1);
  EXPECT_EQ(chi_square_tail(0, 3), 1);
  EXPECT_EQ(chi_square_tail(-1, 3), 1);
}

}  // namespace
}  // namespace driftd::stats
