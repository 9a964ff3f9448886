#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;

TEST(Type, FailsWrongTypesAndSkipsNulls) {
  CheckFixture f;
  f.add(every_cell(1.0, 2.0));
  const RowHits hits = f.run(*f.make("type", {}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(3));
  EXPECT_THAT(hits.skipped, ElementsAre(1, 2, 4));
  const Judgement j = f.judge(*f.make("type", {}, "x"));
  EXPECT_STREQ(j.reason, "wrong_type");
  EXPECT_DOUBLE_EQ(*j.value, 1.0 / 3);
}

TEST(Type, FailsNanWhenAsked) {
  CheckFixture f;
  f.add(every_cell(1.0, 2.0));
  EXPECT_THAT(rows_of(f.run(*f.make("type", {{"finite", "true"}}, "x"))), ElementsAre(3, 4));
}

TEST(Type, AnIntegerFieldTakesWholeNumbersOnly) {
  CheckFixture f({field("n", FieldKind::kInteger)});
  f.add({{{1.0}}, {{1.5}}, {{"2"}}});
  EXPECT_THAT(rows_of(f.run(*f.make("type", {}, "n"))), ElementsAre(1, 2));
}

}  // namespace
}  // namespace driftd::rules
