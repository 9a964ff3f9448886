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

#include "core/record_mark.h"
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
    std::uint32_t lap = 0;    // as the partition's when it was added
    bool dead = false;
    std::uint32_t partition() const { return gate.raw->partition; }
  };

  // Where records of a partition will come from on. It is forgotten what was known of it.
  void expect(std::uint32_t partition, std::int64_t position);
  // True when positions went back: the topic was made anew, and forwarded() has to be told again.
  bool add(GateBatch batch);
  // Drops what is there of the partition, and what is known of it.
  void kill(std::uint32_t partition);
  // Records of the partition before `position`, of the topic that it is now, have been forwarded.
  void forwarded(std::uint32_t partition, std::int64_t position);
  // The same, if one that waits is the marked one, the newest of them, whatever topic it is of. False: it is none of these.
  bool forwarded_to(std::uint32_t partition, std::int64_t position, const RecordMark& mark);
  bool went_back(std::uint32_t partition) const;
  // Whether `position` may be of a topic that had this name before, and that makes a difference.
  bool in_doubt(std::uint32_t partition, std::int64_t position) const;

  // The next one that waits and has records to forward; nullptr: none.
  Batch* next();
  // next() is in the transaction from now on.
  void sent() { ++sent_; }
  // The transaction was committed: what it had is done, and known to be.
  void committed();
  // It was aborted: everything waits again. Precondition: its delivery reports have come.
  void aborted() { sent_ = 0; }

  bool dead_in_transaction() const;
  // The newest batch of each partition in the transaction.
  std::map<std::uint32_t, const RawBatch*> newest_sent() const;
  template <class F>
  void each_sent(F f) const {
    for (std::size_t i = 0; i < sent_; ++i) f(*batches_[i]);
  }
  bool empty() const { return batches_.empty(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Partition {
    std::int64_t begun = 0;           // expect()'s
    std::int64_t expected = 0;        // behind what was added
    std::uint32_t lap = 0;            // how often positions went back
    std::int64_t forwarded = -1;      // position; of the lap
    std::int64_t forwarded_lap = -1;  // of those before all was forwarded, of those behind nothing, or it is not known
    bool sure = false;                // what the server has is of this lap
  };

  std::map<std::uint32_t, Partition> partitions_;
  std::deque<std::unique_ptr<Batch>> batches_;
  std::size_t sent_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace driftd::ingest
