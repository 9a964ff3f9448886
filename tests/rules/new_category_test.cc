#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

stats::Reference reference_with(double others) {
  stats::FieldProfile profile;
  profile.name = "status";
  profile.kind = FieldKind::kCategory;
  profile.valid = 10;
  profile.bins.kind = stats::Bins::Kind::kCategory;
  profile.bins.categories = {"idle", "ok"};
  profile.bin_counts = {4, 6, others};
  stats::Reference reference;
  reference.segments.push_back({Segment{}, 10, {profile}});
  return reference;
}

const std::vector<Field> kFields = {field("status", FieldKind::kCategory)};

TEST(NewCategory, FailsWhatTheReferenceLacks) {
  const stats::Reference reference = reference_with(0);
  CheckFixture f(kFields, &reference);
  f.add(every_cell("ok", "burning"));
  const auto check = f.make("new_category", {}, "status");
  const RowHits hits = f.run(*check);
  EXPECT_THAT(rows_of(hits), ElementsAre(5));
  EXPECT_THAT(hits.skipped, ElementsAre(1, 2, 3, 4));
  const Judgement j = f.judge(*check);
  EXPECT_STREQ(j.reason, "new_category");
  EXPECT_TRUE(j.uses_reference);
  EXPECT_EQ(*j.n_reference, 10U);
}

TEST(NewCategory, CannotTellWhenTheReferenceDroppedSome) {
  const stats::Reference reference = reference_with(1);
  CheckFixture f(kFields, &reference);
  f.add(every_cell("ok", "burning"));
  const RowHits hits = f.run(*f.make("new_category", {}, "status"));
  EXPECT_THAT(rows_of(hits), IsEmpty());
  EXPECT_THAT(hits.skipped, ElementsAre(1, 2, 3, 4, 5));
}

TEST(NewCategory, SaysWhenThereIsNothingToCompareWith) {
  CheckFixture without(kFields);
  without.add({{{"ok"}}});
  EXPECT_STREQ(without.judge(*without.make("new_category", {}, "status")).reason, "no_reference");
  const stats::Reference other = [] {
    stats::Reference r = reference_with(0);
    r.segments[0].fields[0].name = "mode";
    return r;
  }();
  CheckFixture f(kFields, &other);
  f.add({{{"ok"}}});
  EXPECT_STREQ(f.judge(*f.make("new_category", {}, "status")).reason, "not_in_reference");
}

}  // namespace
}  // namespace driftd::rules
