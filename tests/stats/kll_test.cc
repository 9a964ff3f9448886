#include "stats/kll.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace driftd::stats {
namespace {

enum class Order { kShuffled, kGrowing, kFalling, kFromBothEnds };

// 0 ... n - 1, each once: a value is its own rank.
std::vector<double> ranks(int n, Order order) {
  std::vector<double> out;
  for (int i = 0; i < n; ++i) {
    const bool back = order == Order::kFalling || (order == Order::kFromBothEnds && i % 2 != 0);
    const int at = order == Order::kFromBothEnds ? i / 2 : i;
    out.push_back(back ? n - 1 - at : at);
  }
  std::mt19937 random(17);
  if (order == Order::kShuffled) std::shuffle(out.begin(), out.end(), random);
  return out;
}

TEST(Kll, IsExactUntilItMustForget) {
  Kll sketch(64);
  for (const double x : {3.0, 1.0, 2.0, 2.0}) sketch.add(x);
  EXPECT_EQ(sketch.n(), 4U);
  EXPECT_EQ(sketch.retained(), 4U);
  // Nearest ranks of 1 2 2 3.
  EXPECT_EQ(sketch.quantiles({0, 0.25, 0.26, 0.5, 0.75, 0.76, 1}), (std::vector<double>{1, 1, 2, 2, 2, 3, 3}));
}

TEST(Kll, OneValueIsEveryQuantile) {
  Kll sketch;
  sketch.add(-1.5);
  EXPECT_EQ(sketch.quantiles({0, 0.5, 1}), (std::vector<double>{-1.5, -1.5, -1.5}));
}

TEST(Kll, RankErrorAndMemoryStayWithinTheirBounds) {
  constexpr int kN = 100000;
  std::vector<double> q;
  for (int i = 1; i < 200; ++i) q.push_back(i / 200.0);
  for (const std::uint32_t k : {200U, 1600U}) {
    for (const Order order : {Order::kShuffled, Order::kGrowing, Order::kFalling, Order::kFromBothEnds}) {
      Kll sketch(k);
      for (const double x : ranks(kN, order)) sketch.add(x);
      const std::vector<double> found = sketch.quantiles(q);
      ASSERT_EQ(found.size(), q.size());
      EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
      for (std::size_t i = 0; i < q.size(); ++i) {
        EXPECT_LE(std::fabs(found[i] + 1 - q[i] * kN), sketch.rank_error() * kN + 1)
            << "k " << k << ", order " << static_cast<int>(order) << ", q " << q[i];
      }
      EXPECT_LE(sketch.retained(), 3 * k + 8 * 20);
      EXPECT_EQ(sketch.n(), static_cast<std::uint64_t>(kN));
    }
  }
  EXPECT_LT(Kll().rank_error(), 0.002);
}

TEST(Kll, SameValuesInTheSameOrderGiveTheSameQuantiles) {
  Kll a, b;
  for (const double x : ranks(20000, Order::kShuffled)) {
    a.add(x);
    b.add(x);
  }
  const std::vector<double> q = {0.01, 0.1, 0.5, 0.9, 0.99};
  EXPECT_EQ(a.quantiles(q), b.quantiles(q));
}

TEST(Kll, AHeavyValueKeepsItsMass) {
  Kll sketch(200);
  for (const double x : ranks(50000, Order::kShuffled)) sketch.add(x < 20000 ? 0 : x);
  const std::vector<double> found = sketch.quantiles({0.1, 0.3, 0.38, 0.42});
  EXPECT_EQ(found[0], 0);
  EXPECT_EQ(found[2], 0) << "40 % of the values are 0";
  EXPECT_GT(found[3], 20000);
}

}  // namespace
}  // namespace driftd::stats
