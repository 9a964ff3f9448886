#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(NewCategory, ComparesWithTheReference) {
  stats::Reference reference;
  reference.segments.push_back({});
  stats::FieldProfile profile;
  profile.name = "c";
  profile.kind = FieldKind::kCategory;
  profile.bins.kind = stats::Bins::Kind::kCategory;
  profile.bins.categories = {"idle", "run"};
  reference.segments[0].fields.push_back(profile);
  Harness h("new_category", {}, {category_field()}, 0, &reference);
  h.feed(series({"run", "idle", "maintenance", Cell::kNull}));
  EXPECT_EQ(h.failed, U{2});
  EXPECT_TRUE(h.judge().uses_reference);
}

TEST(NewCategory, WithoutAReferenceThereIsNoVerdict) {
  Harness h("new_category", {}, {category_field()});
  h.feed(series({"run"}));
  EXPECT_EQ(h.judge().verdict, Verdict::kNoVerdict);
  EXPECT_STREQ(h.judge().reason, "no_reference");
}

}  // namespace
}  // namespace driftd::rules
