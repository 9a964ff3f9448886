#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(InSet, TakesCategories) {
  Harness h("in_set", {{"values", "ok"}}, {category_field()});
  h.feed(series({"ok", "OK", "fault", "ok", Cell::kNull}));
  EXPECT_EQ(h.failed, (U{1, 2}));
  EXPECT_EQ(h.skipped, U{4});
}

TEST(InSet, TakesNumbersAndFlags) {
  Harness h("in_set", {{"values", "3"}}, {{.name = "i", .kind = FieldKind::kInteger}});
  h.feed(series({3, 4}));
  EXPECT_EQ(h.failed, U{1});
  h.params_ = {{"values", "three"}};
  EXPECT_FALSE(h.make().ok());
}

TEST(InSet, TakesFreeText) {
  Harness h("in_set", {{"values", "a b"}}, {{.name = "t", .kind = FieldKind::kText}});
  h.feed(series({"a b", "a  b"}));
  EXPECT_EQ(h.failed, U{1});
}

}  // namespace
}  // namespace driftd::rules
