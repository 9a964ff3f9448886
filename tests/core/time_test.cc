#include "core/time.h"

#include <gtest/gtest.h>

namespace driftd {
namespace {

TEST(Time, FormatsRfc3339WithAsManyDigitsAsNeeded) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_time(1077926356027850000), "2004-02-27T23:59:16.02785Z");
  EXPECT_EQ(format_time(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_time(951782400 * kSecond), "2000-02-29T00:00:00Z");
}

TEST(Time, ReadsWhatItWrites) {
  for (const Time t : {Time{0}, Time{1}, Time{-1}, Time{1790000000123456789}, Time{-5000000000000000000}}) {
    EXPECT_EQ(parse_time(format_time(t)), t) << format_time(t);
  }
}

TEST(Time, ReadsOffsetsAndSpaces) {
  EXPECT_EQ(parse_time("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(parse_time("1969-12-31T22:30:00.5-01:30"), kSecond / 2);
  EXPECT_EQ(parse_time("1970-01-01 00:00:01"), kSecond);
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const char* text : {"", "now", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:00:00.Z", "9999-01-01T00:00:00Z", "2026-01-01T00:00:00Zx"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Duration, ReadsAndWrites) {
  EXPECT_EQ(parse_duration("30s"), 30 * kSecond);
  EXPECT_EQ(parse_duration("1h30m"), 90 * kMinute);
  EXPECT_EQ(parse_duration("7d"), 7 * kDay);
  EXPECT_EQ(parse_duration("1.5s"), 1500 * kMillisecond);
  EXPECT_EQ(parse_duration("63893d19h2m12s419ms999us744ns"), 5520423732419999744) << "to the nanosecond";
  EXPECT_EQ(format_duration(90 * kMinute), "1h30m");
  EXPECT_EQ(format_duration(0), "0s");
  for (const char* text : {"", "5", "s", "5 s", "-5s", "5w", "1e400s", "99999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(FloorTo, AlsoBelowZero) {
  EXPECT_EQ(floor_to(7, 5), 5);
  EXPECT_EQ(floor_to(-1, 5), -5);
  EXPECT_EQ(floor_to(-5, 5), -5);
}

}  // namespace
}  // namespace driftd
