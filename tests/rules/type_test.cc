#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Type, FailsWrongTypesAndWhatIsNotFinite) {
  Harness h("type", {}, {number_field()});
  h.feed(series({1, Cell::kWrongType, kNan, Cell::kNull, Cell::kMissing}));
  EXPECT_EQ(h.failed, (U{1, 2}));
  EXPECT_EQ(h.skipped, (U{3, 4}));
}

TEST(Type, AFractionIsNoInteger) {
  Harness h("type", {}, {{.name = "i", .kind = FieldKind::kInteger}});
  h.feed(series({1, 1.5, "7"}));
  EXPECT_EQ(h.failed, (U{1, 2}));
}

}  // namespace
}  // namespace driftd::rules
