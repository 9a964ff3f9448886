// MysqlStore: the checkpoint store of several driftd that share streams (`service.store`), in a MySQL or
// MariaDB.
//
// Partitions of a shared stream may be at any of them; who reads a partition's unit() takes it over, and put()
// of whoever had it before leaves it out (fenced()). One driftd at a time judges a stream's windows: the one
// that has the stream's lease (lead()), which it renews and which another one takes when that was not done for
// `lease` by the server's clock. What the partitions of the others hand over comes to it as rows. Everything
// that belongs to one driftd alone (its findings log's length, streams with a journal of its own) is kept
// under its instance id. Tables: docs/FORMATS.md.
//
// Thread-safety: internal lock. Durability: the server's. Errors: kUnavailable when the server does not answer;
// the next call connects again. Cost: states go whole with each checkpoint. No statement is longer than half a MiB: what may be
// large, states and what is handed over, goes in chunks.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/run/hand_over_rows.h"
#include "stats/mysql_session.h"

namespace driftd::app {

class MysqlStore final : public CheckpointStore {
 public:
  // Connects and makes the tables; like each call that connects, it refuses those of another format. `instance` names this driftd, the same
  // after a restart; `lease` is how long a lease lasts that is not renewed, in whole seconds.
  static Result<std::unique_ptr<MysqlStore>> open(const stats::MysqlConnection& connection, std::string instance, Duration lease);

  // Only to be looked at (each_unit); makes nothing, and connects with the first call.
  static std::unique_ptr<MysqlStore> open_to_read(const stats::MysqlConnection& connection);

  // From now on this stream's partitions are for all; before it, a stream's are of this driftd alone.
  void share(const std::string& stream);

  Result<std::uint64_t> put(const Checkpoint& checkpoint) override;
  Result<std::optional<CheckpointUnit>> unit(const std::string& stream, std::int64_t partition) override;
  Result<Progress> progress(const std::string& stream) override;
  Status remove(const std::string& stream) override;
  // The hub's state that this driftd put; nullopt: none.
  Result<std::optional<std::string>> hub();

  // Of all driftd that use the store: each part with a state, ordered; what is damaged is so said. `owner`: instance id.
  using UnitVisitor = std::function<void(const std::string& owner, CheckpointUnit unit, const Status& intact)>;
  Status each_unit(const UnitVisitor& visit);

  // Partitions that put() left out since the last call, as another driftd has taken them over.
  std::vector<std::pair<std::string, std::int64_t>> fenced();

  // Takes the lease when it is free, renews it when it is ours. kLost: it was ours, and another driftd has it;
  // what was done with it since the newest checkpoint must be forgotten.
  // A lease that is over is taken only when it stays so for some calls: after an absence of the server everybody's is. Says
  // too that the partitions `mine` of the stream are still read here.
  enum class Lease { kFollows, kLeads, kLost };
  Result<Lease> lead(const std::string& stream, const std::set<std::uint32_t>& mine);
  // Whether the lease is still that which this driftd had before a restart: nobody else has led meanwhile.
  Result<bool> led_before(const std::string& stream);
  // Lets another one lead at once.
  Status resign(const std::string& stream);

  // To the one that leads. Outputs that are there already are passed over: they are the same.
  Status hand_over(const HandOver& what);
  // Of the leader's windows that wait; what is kNoTime: none.
  struct Waiting {
    Time until = kNoTime;       // end of the newest
    Time ahead_from = kNoTime;  // as many wait as may: partitions that have closed this end are not to be read on
    bool operator==(const Waiting&) const = default;
  };
  Result<Waiting> waiting(const std::string& stream);
  Status tell_waiting(const std::string& stream, const Waiting& waiting);
  // What partitions handed over that have this configuration, ordered by partition and window, but those of `known` ids (of another one,
  // the newer of the two decides, once both have it); and the progress of all partitions that a driftd ever had. Every output of a progress
  // told is among them, or known, or was taken, or is of a window that ends after `complete_until`.
  using Output = StoredOutput;
  struct News {
    std::vector<HandOverProgress> progress;
    std::map<std::uint32_t, Duration> unread;  // by partition: since when nobody reads it
    std::vector<Output> outputs;
    std::optional<Time> complete_until;   // nullopt: there is no output but these
    std::set<std::uint32_t> left_of;      // partitions of which there are others
    std::vector<std::int64_t> of_before;  // ids of what partitions handed over that have told this configuration since
  };
  // How much is read at once. Windows that all have closed, or that end by `oldest`, are done with once they are read, so of them as many
  // as fit into `at_once`; of later ones as many as fit into `bytes`. One in any case, but for later ones while others wait.
  struct Room {
    std::size_t bytes = SIZE_MAX, at_once = SIZE_MAX;
    Time oldest = kNoTime;           // the oldest that waits; kNoTime: none
    Time closed_here = kNoTime;      // what the partitions here have closed; other than these, `news` knows
    std::set<std::uint32_t> all_of;  // partitions that are here: everything of them
  };
  Result<News> news(const std::string& stream, const std::string& hash, const std::set<std::int64_t>& known, const Room& room);

 private:
  using Key = std::pair<std::string, std::int64_t>;  // stream, partition

  MysqlStore(stats::MysqlConnection connection, std::string instance, Duration lease)
      : connection_(std::move(connection)), instance_(std::move(instance)), lease_(lease) {}
  static constexpr std::size_t kChunk = 256U << 10;  // quoting doubles it at most

  Status connect();
  // Runs `work` in a transaction, connected. An Error rolls back; the connection goes when the server failed. When the server
  // ended the transaction for another one's locks, `work` is run again, from its beginning: it starts what it fills anew.
  Status transact(const std::function<Status()>& work);
  // The same for work that only reads, once: all its statements see one moment.
  Status look(const std::function<Status()>& work);
  Status run(std::initializer_list<const char*> begin, const std::function<Status()>& work, bool& conflicted);
  Error failed(const Error& why, Duration begun_at);
  std::string where(const std::string& stream, std::int64_t partition) const;
  std::string scope_of(const std::string& stream) const { return shared_.count(stream) != 0 ? "" : instance_; }
  Status put_unit(const CheckpointUnit& unit, std::vector<Key>& fenced);
  Status put_state(const CheckpointUnit& unit);
  Status put_handed_over(const HandOver& what, const std::vector<Key>& fenced);
  Status put_output(const HandedOver& output);
  Status delete_outputs(const std::vector<std::int64_t>& ids);
  Result<std::vector<std::int64_t>> new_outputs(const std::string& stream, const std::string& hash, const std::set<std::int64_t>& known,
                                                const Room& room, News& news);
  Status read_outputs(const std::string& stream, const std::string& ids, std::vector<Output>& outputs);
  Status read_chunks(std::vector<Output>& outputs, std::size_t begin, std::size_t end);
  Status read_unit(const std::string& row, const std::string& stream, std::int64_t partition, std::optional<CheckpointUnit>& unit);
  Status try_lead(const std::string& stream, Lease& lease);
  Status take_lease(const std::string& stream);

  stats::MysqlConnection connection_;
  std::string instance_;
  Duration lease_;
  std::mutex mutex_;
  std::optional<stats::MysqlSession> session_;
  Duration frozen_until_ = 0;  // monotonic: calls fail at once, as the newest did after its timeout
  Error frozen_;
  std::set<std::string> shared_;
  std::map<Key, std::int64_t> epochs_;         // of partitions and leases that are ours
  std::map<std::string, unsigned> seen_over_;  // by stream: calls in a row that found another one's lease over
  std::vector<Key> fenced_;
};

}  // namespace driftd::app
