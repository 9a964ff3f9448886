#include "ingest/gate_queue.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

using Positions = std::map<std::uint32_t, std::int64_t>;

// Records of the partition from `first` on.
GateBatch batch(std::uint32_t partition, std::int64_t first, int count) {
  auto raw = std::make_shared<RawBatch>();
  raw->partition = partition;
  for (int i = 0; i < count; ++i) {
    RawRecord record;
    record.payload = "12345";
    record.position = first + i;
    raw->records.push_back(record);
  }
  raw->next_position = first + count;
  return {std::move(raw), {}, {}};
}

std::vector<std::int64_t> send_all(GateQueue& queue) {
  std::vector<std::int64_t> positions;
  while (GateQueue::Batch* next = queue.next()) {
    for (std::uint32_t r = next->first; r < next->slots.size(); ++r) {
      EXPECT_EQ(next->slots[r].record(), r);
      positions.push_back(next->gate.raw->records[r].position);
    }
    queue.sent();
  }
  return positions;
}

using Sent = std::vector<std::int64_t>;

TEST(GateQueue, WhatATransactionHadIsGoneOnceItIsCommitted) {
  GateQueue queue;
  queue.expect(1, 10);
  queue.expect(2, 0);
  queue.add(batch(1, 10, 2));
  queue.add(batch(2, 0, 1));
  const std::size_t bytes = queue.bytes();
  EXPECT_EQ(send_all(queue), (Sent{10, 11, 0}));
  EXPECT_EQ(queue.positions(), (Positions{{1, 12}, {2, 1}}));
  queue.add(batch(1, 12, 1));
  queue.committed();
  EXPECT_LT(queue.bytes(), bytes);
  EXPECT_EQ(queue.positions(), Positions{});
  EXPECT_EQ(send_all(queue), Sent{12});
  queue.committed();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(GateQueue, WhatAnAbortedOneHadIsSentAgainInTheSameOrder) {
  GateQueue queue;
  queue.add(batch(1, 0, 2));
  EXPECT_EQ(send_all(queue), (Sent{0, 1}));
  queue.add(batch(1, 2, 1));
  queue.aborted();
  EXPECT_EQ(send_all(queue), (Sent{0, 1, 2}));
}

TEST(GateQueue, PassesOverWhatWasForwardedBefore) {
  GateQueue queue;
  queue.expect(1, 0);
  queue.add(batch(1, 0, 2));
  queue.forwarded(1, 5);
  queue.add(batch(1, 2, 2));
  queue.add(batch(1, 4, 3));
  EXPECT_EQ(send_all(queue), (Sent{5, 6}));
  EXPECT_EQ(queue.positions(), (Positions{{1, 7}})) << "never a position before the one committed";
}

TEST(GateQueue, AllPassedOverIsEmpty) {
  GateQueue queue;
  queue.expect(1, 0);
  queue.forwarded(1, 5);
  queue.add(batch(1, 0, 5));
  EXPECT_EQ(queue.next(), nullptr);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(GateQueue, ALostPartitionIsDroppedAndMayComeBack) {
  GateQueue queue;
  queue.add(batch(1, 0, 2));
  queue.add(batch(2, 7, 1));
  ASSERT_NE(queue.next(), nullptr);
  queue.sent();
  EXPECT_FALSE(queue.dead_in_transaction());
  queue.kill(1);
  EXPECT_TRUE(queue.dead_in_transaction()) << "what is in the transaction must not be committed";
  queue.expect(1, 0);
  queue.add(batch(1, 0, 1));
  queue.aborted();
  EXPECT_EQ(send_all(queue), (Sent{7, 0})) << "the new one is not dead";
  EXPECT_FALSE(queue.dead_in_transaction());
}

TEST(GateQueue, ATopicMadeAnewIsForwardedFromItsBeginning) {
  GateQueue queue;
  queue.expect(1, 100);
  queue.add(batch(1, 0, 2));  // the source's position was not there any more
  queue.forwarded(1, 100);    // of the topic before
  EXPECT_EQ(send_all(queue), (Sent{0, 1}));
  queue.committed();
  queue.forwarded(1, 2);  // our own, asked for again
  queue.add(batch(1, 2, 1));
  EXPECT_EQ(send_all(queue), Sent{2});
}

// Killed before a checkpoint had where the new one is read: what was forwarded of that before the kill is not again.
TEST(GateQueue, WhatWasForwardedOfATopicMadeAnewBeforeARestartIsPassedOver) {
  for (const bool answered_first : {true, false}) {
    GateQueue queue;
    queue.expect(1, 100);
    if (answered_first) queue.forwarded(1, 3);
    queue.add(batch(1, 0, 5));
    if (!answered_first) queue.forwarded(1, 3);
    EXPECT_EQ(send_all(queue), (Sent{3, 4})) << answered_first;
    queue.committed();
    queue.add(batch(1, 0, 2));  // made anew once more
    EXPECT_EQ(send_all(queue), (Sent{0, 1})) << answered_first;
  }
}

TEST(GateQueue, WhatWasCommittedOfTheTopicBeforeIsNotOfTheNewOneHoweverManyRecordsItHas) {
  GateQueue queue;
  queue.expect(1, 3);
  queue.add(batch(1, 0, 5));
  queue.forwarded(1, 3);  // asked for when more than that had come
  EXPECT_EQ(send_all(queue), (Sent{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace driftd::ingest
