#include "stats/reference_name.h"

#include <gmock/gmock.h>

namespace driftd::stats {
namespace {

using ::testing::HasSubstr;

TEST(ReferenceName, IsOfWordsThatAConfigurationCanSay) {
  for (const char* good : {"pumps", "line-1.a_B", "2026-01-01", "7"}) EXPECT_TRUE(check_reference_name(good).ok()) << good;
  for (const char* bad : {"", "x y", "pumps@2", "a/b", "\n", "größe"}) {
    const Status s = check_reference_name(bad);
    ASSERT_FALSE(s.ok()) << bad;
    EXPECT_EQ(s.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(s.error().message, HasSubstr("letters, digits, _ - and dots"));
  }
}

TEST(ReferenceName, ATagOrAnAliasMeansNoVersion) {
  for (const char* good : {"production", "v", "v2-winter", "2026-11"}) EXPECT_TRUE(check_reference_word("tag", good).ok()) << good;
  for (const char* bad : {"7", "v7", "0", "-1", "4294967297"}) {
    const Status s = check_reference_word("tag", bad);
    ASSERT_FALSE(s.ok()) << bad;
    EXPECT_THAT(s.error().message, HasSubstr("is no tag: it means a version")) << bad;
  }
  EXPECT_THAT(check_reference_word("alias", "a b").error().message, HasSubstr("'a b' is no alias: it must be of letters"));
}

TEST(ReferenceName, SaysOfWhichReferenceSomethingIs) {
  for (const char* good : {"pumps@production", "line-1.a@3", "a@v3", "a@2026-01-01"}) EXPECT_TRUE(names_reference(good)) << good;
  for (const char* bad : {"pumps", "pumps@", "@1", "", "@", "a@b@c", "a b@1", "a@b c"}) EXPECT_FALSE(names_reference(bad)) << bad;
}

TEST(ReferenceName, KnowsNumbersOfVersions) {
  EXPECT_EQ(version_number("3"), 3U);
  EXPECT_EQ(version_number("v3"), 3U);
  EXPECT_EQ(version_number("4294967297"), 0U) << "a number, and of no version";
  EXPECT_EQ(version_number("winter"), std::nullopt);
  EXPECT_EQ(version_number("v"), std::nullopt);
}

}  // namespace
}  // namespace driftd::stats
