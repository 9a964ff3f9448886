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
  for (record.position = 0; record.position < 3; ++record.position)
    rejects.reject(record, RejectReason::kBadTime, "why");
  EXPECT_EQ(seen, (std::vector<std::string>{"0 bad_time why", "1 bad_time why", "2 bad_time why"}));
  EXPECT_EQ(rejects.count(), 3U);
}

TEST(PartitionRejects, TellsOfAFieldOnceAndOfSoManyFieldsOnly) {
  std::vector<std::string> names;
  PartitionRejects rejects([](const RawRecord&, RejectReason, std::string_view) {},
                           [&](std::string_view name) { names.emplace_back(name); });
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 256; ++i) rejects.extra_field("field " + std::to_string(i));
  }
  EXPECT_EQ(names.size(), 256U) << "at the bound";
  EXPECT_EQ(names.front(), "field 0");
  EXPECT_EQ(names.back(), "field 255");
  for (int i = 256; i < 5000; ++i) rejects.extra_field("field " + std::to_string(i));
  EXPECT_EQ(names.size(), 256U) << "a sender of ever new names costs nothing more";
  EXPECT_EQ(rejects.count(), 0U);
}

}  // namespace
}  // namespace driftd::app
