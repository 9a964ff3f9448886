#include "stats/reference_name.h"

#include <gtest/gtest.h>

namespace driftd::stats {
namespace {

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
