#include "app/run/partition_rejects.h"

#include <gtest/gtest.h>

namespace driftd::app {
namespace {

TEST(PartitionRejects, CountsAndHandsOnEveryReject) {
  std::vector<std::string> seen;
  PartitionRejects rejects(
      [&](const RawRecord& r, RejectReason reason, std::string_view detail) {
        seen.push_back(std::to_string(r.position) + " " + to_string(reason) + " " + std::string(detail));
      },
      [](std::string_view) {});
  RawRecord record;
  for (record.position = 0; record.position < 3; ++record.position) rejects.reject(record, RejectReason::kBadTime, "why");
  EXPECT_EQ(seen, (std::vector<std::string>{"0 bad_time why", "1 bad_time why", "2 bad_time why"}));
  EXPECT_EQ(rejects.count(), 3U);
}

TEST(PartitionRejects, NamesBeyondTheBoundAreToldOnceAndTogether) {
  std::vector<std::string> told;
  PartitionRejects rejects([](const RawRecord&, RejectReason, std::string_view) {},
                           [&](std::string_view name) { told.emplace_back(name); });
  const auto meet = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) rejects.extra_field("f" + std::to_string(i));
  };
  meet(0, PartitionRejects::kMaxNames);
  meet(0, PartitionRejects::kMaxNames);
  ASSERT_EQ(told.size(), PartitionRejects::kMaxNames);
  EXPECT_EQ(told.back(), "f255");
  meet(PartitionRejects::kMaxNames, PartitionRejects::kMaxNames + 10);
  ASSERT_EQ(told.size(), PartitionRejects::kMaxNames + 1);
  EXPECT_EQ(told.back(), PartitionRejects::kOtherNames);
  meet(0, 2 * PartitionRejects::kMaxNames);
  EXPECT_EQ(told.size(), PartitionRejects::kMaxNames + 1);
}

// They are labels of metrics, and kept as long as driftd runs.
TEST(PartitionRejects, LongNamesAreCut) {
  std::vector<std::string> told;
  PartitionRejects rejects([](const RawRecord&, RejectReason, std::string_view) {},
                           [&](std::string_view name) { told.emplace_back(name); });
  const std::string longest(256, 'a'), longer = longest + std::string(1U << 20, 'b');
  for (const std::string& name : {longest, longer, longer + "c", std::string("\x1b]0;x\r")}) rejects.extra_field(name);
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(told[0], longest);
  EXPECT_LE(told[1].size(), 256U);
  EXPECT_NE(told[1], told[2]) << "two names are two";
  EXPECT_TRUE(told[3].starts_with("?]0;x?~")) << told[3];
}

}  // namespace
}  // namespace driftd::app
