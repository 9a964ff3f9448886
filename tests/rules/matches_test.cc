#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MatchesKinds : public ::testing::TestWithParam<FieldKind> {};

TEST_P(MatchesKinds, TheWholeTextOrAnyPart) {
  CheckFixture f({field("x", GetParam())});
  f.add({{{"v1.2"}}, {{"xv1.2"}}, {{"v1.2\n"}}, {{""}}, {{Cell::kNull}}, {{"v1.2"}}, {{"v12"}}});
  const RowHits full = f.run(*f.make("matches", {{"regex", "v[0-9]+\\.[0-9]+"}}, "x"));
  EXPECT_THAT(rows_of(full), ElementsAre(1, 2, 3, 6));
  EXPECT_THAT(full.skipped, ElementsAre(4));
  const RowHits any = f.run(*f.make("matches", {{"regex", "v[0-9]+\\.[0-9]+"}, {"part", "any"}}, "x"));
  EXPECT_THAT(rows_of(any), ElementsAre(3, 6));
}

INSTANTIATE_TEST_SUITE_P(All, MatchesKinds, ::testing::Values(FieldKind::kCategory, FieldKind::kText));

TEST(Matches, IsLinearOnHostileText) {
  CheckFixture f({field("x", FieldKind::kText)});
  const std::string text(100000, 'a');
  f.add({{{text.c_str()}}});
  EXPECT_THAT(rows_of(f.run(*f.make("matches", {{"regex", "(a*)*b"}}, "x"))), ElementsAre(0));
}

TEST(Matches, RefusesWhatIsNoRegex) {
  const CheckFixture f({field("x", FieldKind::kText)});
  EXPECT_THAT(error_of(f.try_make("matches", {{"regex", "(a"}}, "x")), HasSubstr("missing )"));
  EXPECT_THAT(error_of(f.try_make("matches", {{"regex", "(a)\\1"}}, "x")), HasSubstr("regex"));
}

}  // namespace
}  // namespace driftd::rules
