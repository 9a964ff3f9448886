#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

std::vector<Value> noisy(int n) {
  std::vector<Value> v;
  for (int i = 0; i < n; ++i) v.push_back(20 + ((i * 7919) % 11 - 5) * 0.1);
  return v;
}

TEST(Spike, FindsAJumpAndBack) {
  Harness h("spike", {}, {number_field()});
  std::vector<Value> v = noisy(60);
  v[40] = 35;
  h.feed(series(v));
  EXPECT_EQ(h.failed, U{40});
  EXPECT_EQ(h.skipped.size(), 10U) << "warm-up";
}

TEST(Spike, ANewLevelIsNone) {
  Harness h("spike", {{"reverts_within", "2"}}, {number_field()});
  std::vector<Value> v = noisy(40);
  for (int i = 0; i < 30; ++i) v.push_back(35 + (i % 3) * 0.1);
  h.feed(series(v));
  EXPECT_GE(h.failed.size(), 2U);
  EXPECT_LE(h.failed.size(), 8U) << "it is followed after two values, until the median has moved";
  EXPECT_LT(h.failed.back(), 50U);
}

TEST(Spike, QuietNoiseHasNone) {
  Harness h("spike", {}, {number_field()});
  h.feed(series(noisy(2000)));
  EXPECT_EQ(h.failed, U{});
}

}  // namespace
}  // namespace driftd::rules
