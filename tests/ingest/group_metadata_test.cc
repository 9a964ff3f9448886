#include "ingest/group_metadata.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

TEST(GroupMetadata, IsReadAsItWasWritten) {
  for (const RecordMark& mark : {RecordMark{7, 1'700'000'000'000'000'000, ~0ULL, 1}, RecordMark{0, kNoTime, 0, 0xABC}, RecordMark{}}) {
    const GroupMetadata metadata{"00ff00ff00ff00ff", mark};
    const GroupMetadata read = GroupMetadata::read(metadata.text());
    EXPECT_EQ(read.by, metadata.by);
    EXPECT_EQ(read.mark, mark);
  }
  const GroupMetadata without = GroupMetadata::read(GroupMetadata{"00ff00ff00ff00ff", {}}.text());
  EXPECT_EQ(without.by, "00ff00ff00ff00ff");
  EXPECT_FALSE(without.mark.has_value());
}

TEST(GroupMetadata, WhatIsNotDriftdsIsLeftAsItIs) {
  const std::string whole = GroupMetadata{"id", RecordMark{7, 8, 9, 10}}.text();
  std::string signs = whole;
  signs[whole.size() - 64] = '-';
  std::string letters = whole;
  letters.back() = 'g';
  for (const std::string& text : {std::string(), std::string("by hand"), std::string(65, 'f'), whole + "0", signs, letters}) {
    const GroupMetadata read = GroupMetadata::read(text);
    EXPECT_EQ(read.by, text);
    EXPECT_FALSE(read.mark.has_value()) << text;
  }
  EXPECT_EQ(GroupMetadata::read(whole.substr(2)).by, "") << "of nobody";
}

}  // namespace
}  // namespace driftd::ingest
