#include "stats/reference.h"

#include <gtest/gtest.h>

namespace driftd::stats {
namespace {

Reference with_segments() {
  Reference reference;
  for (const Segment& segment : {Segment{"site", "a"}, Segment{"stream", ""}, Segment{"site", "b"}}) {
    SegmentProfile profile;
    profile.segment = segment;
    profile.fields.resize(2);
    profile.fields[0].name = "temperature";
    profile.fields[1].name = "status";
    profile.fields[0].valid = segment.value == "a" ? 1 : segment.value == "b" ? 2 : 3;
    reference.segments.push_back(profile);
  }
  return reference;
}

TEST(Reference, ASegmentHasItsOwnProfileOrTheStreams) {
  const Reference reference = with_segments();
  EXPECT_EQ(reference.field({"site", "a"}, "temperature")->valid, 1U);
  EXPECT_EQ(reference.field({"site", "b"}, "temperature")->valid, 2U);
  EXPECT_EQ(reference.field({"stream", ""}, "temperature")->valid, 3U);
  EXPECT_EQ(reference.field({"site", "new"}, "temperature")->valid, 3U) << "a site that it does not know";
  EXPECT_EQ(reference.field({"line", "a"}, "temperature")->valid, 3U) << "the same value of another field";
  EXPECT_EQ(reference.field({"sensor", "p1"}, "temperature")->valid, 3U);
}

TEST(Reference, WhatItDoesNotHaveIsNull) {
  const Reference reference = with_segments();
  EXPECT_EQ(reference.field({"site", "a"}, "humidity"), nullptr);
  EXPECT_EQ(Reference().profile({"stream", ""}), nullptr);
  EXPECT_EQ(Reference().field({"stream", ""}, "temperature"), nullptr);
  Reference no_stream = with_segments();
  no_stream.segments.erase(no_stream.segments.begin() + 1);
  EXPECT_EQ(no_stream.profile({"site", "new"}), nullptr);
}

}  // namespace
}  // namespace driftd::stats
