#include "core/record_mark.h"

#include <gtest/gtest.h>

namespace driftd {
namespace {

RawRecord record(std::int64_t position, std::string_view key, std::string_view payload, Time arrival) {
  RawRecord out;
  out.position = position;
  out.key = key;
  out.payload = payload;
  out.arrival = arrival;
  return out;
}

TEST(RecordMark, TellsRecordsApart) {
  const RecordMark mark = mark_of(record(7, "k", "v", 5));
  EXPECT_EQ(mark, mark_of(record(7, "k", "v", 5)));
  EXPECT_NE(mark, mark_of(record(8, "k", "v", 5)));
  EXPECT_NE(mark, mark_of(record(7, "K", "v", 5)));
  EXPECT_NE(mark, mark_of(record(7, "k", "V", 5)));
  EXPECT_NE(mark, mark_of(record(7, "", "kv", 5)));
  EXPECT_NE(mark, mark_of(record(7, "k", "v", 6)));
  RawRecord elsewhere = record(7, "k", "v", 5);
  elsewhere.topic = "other";
  EXPECT_NE(mark, mark_of(elsewhere));
  EXPECT_EQ(mark_of(elsewhere).topic, hash_of_topic("other"));
}

TEST(RecordMark, IsFoundBehindAnyState) {
  const RecordMark mark = mark_of(record(INT64_MAX, "k", "v", kNoTime));
  for (const char* state : {"", "a", "a state that nobody here can read"}) {
    ByteWriter out;
    out.raw(state, std::char_traits<char>::length(state));
    EXPECT_EQ(mark_at_end(out.bytes()), std::nullopt) << "one without a mark";
    append_mark(out, mark);
    EXPECT_EQ(mark_at_end(out.bytes()), mark);
    std::string damaged = out.take();
    damaged[damaged.size() - 9] ^= 1;
    EXPECT_EQ(mark_at_end(damaged), std::nullopt);
    EXPECT_EQ(mark_at_end(damaged.substr(0, damaged.size() - 1)), std::nullopt);
  }
}

}  // namespace
}  // namespace driftd
