#include "ingest/gate_queue.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

using Positions = std::map<std::uint32_t, std::int64_t>;

// Behind what the transaction has.
Positions positions(const GateQueue& queue) {
  Positions out;
  for (const auto& [partition, raw] : queue.newest_sent()) out[partition] = raw->next_position;
  return out;
}

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
  EXPECT_EQ(positions(queue), (Positions{{1, 12}, {2, 1}}));
  queue.add(batch(1, 12, 1));
  queue.committed();
  EXPECT_LT(queue.bytes(), bytes);
  EXPECT_EQ(positions(queue), Positions{});
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
  EXPECT_EQ(positions(queue), (Positions{{1, 7}})) << "never a position before the one committed";
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
  queue.forwarded(1, 100);
  EXPECT_FALSE(queue.went_back(1));
  EXPECT_FALSE(queue.add(batch(1, 100, 50)));
  EXPECT_EQ(send_all(queue).size(), 50U);
  queue.committed();
  EXPECT_TRUE(queue.add(batch(1, 0, 2)));  // the source's position was not there any more
  EXPECT_TRUE(queue.went_back(1));
  EXPECT_EQ(send_all(queue), (Sent{0, 1}));
  queue.committed();
  queue.forwarded(1, 2);  // asked for again
  EXPECT_FALSE(queue.add(batch(1, 2, 1)));
  EXPECT_EQ(send_all(queue), Sent{2});
}

// Killed before a checkpoint had where the new one is read: what was forwarded of that before the kill is not again, whether the server
// answered before or after positions went back, and however far the old one was read.
TEST(GateQueue, WhatWasForwardedOfATopicMadeAnewBeforeARestartIsPassedOver) {
  for (const std::int64_t read_to : {100, 3, 2}) {
    for (const bool answered_before : {true, false}) {
      GateQueue queue;
      queue.expect(1, read_to);
      if (answered_before) queue.forwarded(1, 3);
      EXPECT_TRUE(queue.add(batch(1, 0, 5)));
      queue.forwarded(1, 3);
      EXPECT_EQ(send_all(queue), (Sent{3, 4})) << read_to;
      queue.committed();
      EXPECT_TRUE(queue.add(batch(1, 0, 2)));  // made anew once more
      EXPECT_EQ(send_all(queue), (Sent{0, 1})) << read_to;
    }
  }
}

TEST(GateQueue, NothingIsKnownOfANewTopicUntilItIsTold) {
  GateQueue queue;
  queue.expect(1, 0);
  queue.forwarded(1, 7);
  queue.add(batch(1, 0, 10));
  EXPECT_EQ(send_all(queue), (Sent{7, 8, 9}));
  queue.committed();
  queue.add(batch(1, 0, 8));
  EXPECT_EQ(send_all(queue), (Sent{0, 1, 2, 3, 4, 5, 6, 7})) << "and not from 7 on";
}

// What is left of the old one may have been committed by a transaction whose end nobody saw.
TEST(GateQueue, WhatWaitsOfTheTopicBeforeGoesFirst) {
  for (const bool told_of_the_new : {true, false}) {
    GateQueue queue;
    queue.add(batch(1, 10, 4));
    send_all(queue);
    queue.aborted();
    queue.add(batch(1, 0, 3));
    EXPECT_FALSE(queue.forwarded_to(1, 12, {11, 5, 5, 5})) << "not that one";
    if (told_of_the_new) queue.forwarded(1, 2);
    if (!told_of_the_new) {
      EXPECT_TRUE(queue.forwarded_to(1, 12, mark_of(batch(1, 11, 1).raw->records[0])));
    }
    EXPECT_EQ(send_all(queue), told_of_the_new ? Sent{2} : (Sent{12, 13, 0, 1, 2}));
  }
}

TEST(GateQueue, NothingIsLostHoweverOftenATopicIsMadeAnew) {
  GateQueue queue;
  queue.expect(1, 8);
  queue.forwarded(1, 10);
  queue.add(batch(1, 8, 4));
  queue.add(batch(1, 5, 1));
  queue.add(batch(1, 0, 1));
  EXPECT_EQ(send_all(queue), (Sent{10, 11, 5, 0})) << "nor twice what was known to be forwarded";
}

TEST(GateQueue, OfWhichTopicAPositionIsMattersOnlyWhereSomethingMightBePassedOver) {
  GateQueue queue;
  queue.expect(1, 10);
  EXPECT_FALSE(queue.in_doubt(1, 10));
  EXPECT_TRUE(queue.in_doubt(1, 11));
  queue.add(batch(1, 10, 2));
  EXPECT_TRUE(queue.in_doubt(1, 11));
  send_all(queue);
  queue.committed();
  EXPECT_FALSE(queue.in_doubt(1, 12)) << "its own";
  queue.add(batch(1, 0, 2));
  EXPECT_TRUE(queue.in_doubt(1, 1));
  queue.forwarded(1, 1);
  EXPECT_FALSE(queue.in_doubt(1, 1));
  queue.kill(1);
  queue.expect(1, 2);
  EXPECT_FALSE(queue.in_doubt(1, 2));
  EXPECT_TRUE(queue.in_doubt(1, 3));
  EXPECT_FALSE(queue.went_back(1));
}

}  // namespace
}  // namespace driftd::ingest
