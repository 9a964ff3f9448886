#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Case {
  FieldKind kind;
  std::string values;
  Value in, out;
};

class InSetKinds : public ::testing::TestWithParam<Case> {};

TEST_P(InSetKinds, FailsWhatIsNotListedAndSkipsWhatIsNone) {
  CheckFixture f({field("x", GetParam().kind)});
  f.add(every_cell(GetParam().in, GetParam().out));
  const RowHits hits = f.run(*f.make("in_set", {{"values", GetParam().values}}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(5));
  EXPECT_THAT(hits.skipped, ElementsAre(1, 2, 3, 4));
}

INSTANTIATE_TEST_SUITE_P(All, InSetKinds,
                         ::testing::Values(Case{FieldKind::kCategory, "[ok, idle]", "idle", "broken"},
                                           Case{FieldKind::kText, "[ok, idle]", "ok", "okay"}, Case{FieldKind::kText, "one", "one", ""},
                                           Case{FieldKind::kInteger, "[3, 1, 2]", 3.0, 4.0},
                                           Case{FieldKind::kNumber, "[0.1, 1e3]", 1000.0, 0.10000001},
                                           Case{FieldKind::kFlag, "true", 1.0, 0.0}));

TEST(InSet, LearnsCategoriesAsTheyCome) {
  CheckFixture f({field("x", FieldKind::kCategory)});
  const auto check = f.make("in_set", {{"values", "[a, b]"}}, "x");
  f.add({{{"a"}}, {{"c"}}});
  EXPECT_THAT(rows_of(f.run(*check)), ElementsAre(1));
  f.clear();
  f.add({{{"b"}}, {{"d"}}, {{"c"}}});
  EXPECT_THAT(rows_of(f.run(*check)), ElementsAre(1, 2));
}

TEST(InSet, RefusesValuesThatAreNoNumbers) {
  const CheckFixture f;
  EXPECT_THAT(error_of(f.try_make("in_set", {{"values", "[1, two]"}}, "x")), HasSubstr("'two'"));
  EXPECT_THAT(error_of(f.try_make("in_set", {}, "x")), HasSubstr("'values' is missing"));
}

}  // namespace
}  // namespace driftd::rules
