// GateQueue: what a gate has to forward, in order, and what of it is in the open transaction.
//
// The front of the queue is what the transaction has; the rest waits. Batches of partitions that
// are not ours any more are dead: in the transaction they must not be committed, and they leave the
// queue when no transaction is open. Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "ingest/gate.h"

namespace driftd::ingest {

class GateQueue {
 public:
  // How a record is sent. A record that the server refuses for good (too large, a timestamp it does
  // not take) must not hold up the others; but the server refuses batches, so that it is sent alone
  // before it is found guilty.
  enum class Way : std::uint8_t {
    kAsItIs,
    kAlone,    // it was in a batch that was refused
    kStub,     // refused: key and headers without its payload go to the invalid topic
    kSkipped,  // even the stub was refused
  };
  struct Batch;
  struct Slot {
    Batch* batch;
    Way way = Way::kAsItIs;
    const char* refused = "";  // why the server refused it, its word
    std::uint32_t record() const;
  };
  struct Batch {
    GateBatch gate;
    std::vector<Slot> slots;  // one a record
    std::size_t bytes = 0;
    std::uint32_t first = 0;  // place of the first record that was not forwarded before
    bool dead = false;
    std::uint32_t partition() const { return gate.raw->partition; }
  };

  // Where records of a partition will come from on. What is older than that comes from a topic that
  // was made anew, and nothing of it was forwarded.
  void expect(std::uint32_t partition, std::int64_t position);
  void add(GateBatch batch);
  // Drops what is there of the partition, and what is known of it.
  void kill(std::uint32_t partition);
  // Records of the partition before `position` have been forwarded.
  void forwarded(std::uint32_t partition, std::int64_t position);

  // The next one that waits and has records to forward; nullptr: none.
  Batch* next();
  // next() is in the transaction from now on.
  void sent();
  // The transaction was committed: what it had is done.
  void committed();
  // It was aborted: everything waits again. Precondition: its delivery reports have come.
  void aborted() { sent_ = 0; }

  bool dead_in_transaction() const;
  std::map<std::uint32_t, std::int64_t> positions() const;  // behind what the transaction has
  template <class F>
  void each_sent(F f) const {
    for (std::size_t i = 0; i < sent_; ++i) f(*batches_[i]);
  }
  bool empty() const { return batches_.empty(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Partition {
    std::int64_t expected = 0;    // behind what was added
    std::int64_t begun = -1;      // expect()'s, until something was added
    std::int64_t forwarded = -1;  // by earlier transactions; -1: nothing, or not known
    std::int64_t tried = -1;      // behind what was in a transaction since then; -1: nothing
    bool anew = false;            // positions went back: the topic was made anew

    // The server is never behind expect(), so that less than that is of the new topic.
    bool of_the_new(std::int64_t position) const { return position <= tried || position < begun; }
  };

  std::map<std::uint32_t, Partition> partitions_;
  std::deque<std::unique_ptr<Batch>> batches_;
  std::size_t sent_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace driftd::ingest
