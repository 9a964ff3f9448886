#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Unique, FindsAValueThatCameBefore) {
  Harness h("unique", {}, {number_field()});
  h.feed(series({1, 2, 1, -0.0, 0.0, Cell::kNull, Cell::kNull}));
  EXPECT_EQ(h.failed, (U{2, 4}));
  EXPECT_EQ(h.skipped, (U{5, 6}));
}

TEST(Unique, RemembersTheNewestOnly) {
  Harness h("unique", {{"remember", "2"}}, {category_field()});
  h.feed(series({"a", "b", "c", "a", "c"}));
  EXPECT_EQ(h.failed, U{4}) << "a was forgotten when c came";
}

}  // namespace
}  // namespace driftd::rules
