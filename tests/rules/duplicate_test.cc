#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Duplicate, ComparesTheWholeRecord) {
  Harness h("duplicate", {}, {number_field(), category_field()}, -1);
  h.feed({{"a", 0, {1, "x"}}, {"a", 0, {1, "x"}}, {"a", 0, {1, "y"}}, {"a", 1, {1, "x"}}, {"b", 0, {1, "x"}}, {"a", 0, {1, "x"}}, {"a", 2, {Cell::kNull, "x"}}, {"a", 2, {Cell::kNull, "x"}}});
  EXPECT_EQ(h.failed, (U{1, 5, 7}));
}

TEST(Duplicate, RemembersEightRecordsOfASensor) {
  Harness h("duplicate", {}, {number_field()}, 0);
  std::vector<Value> v;
  for (int i = 0; i < 9; ++i) v.push_back(static_cast<double>(i));
  h.feed(series(v));
  h.feed(series({0}));
  EXPECT_EQ(h.failed, U{}) << "nine records ago";
  h.feed({{"s", 8 * kSecond, {8}}});
  EXPECT_EQ(h.failed, U{10});
}

}  // namespace
}  // namespace driftd::rules
