// StreamRuntime: one stream while the service runs: a polling thread that drives the source, workers
// that own partitions, the merger, and the stream's part in checkpoints.
//
// Locks, in the order they may be taken: dispatch_mutex_ (assignment and dispatch), Worker's own,
// merger_mutex_ (then whatever on_window takes), commit_mutex_. docs/ARCHITECTURE.md has the table.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/config/config.h"
#include "app/engine/merger.h"
#include "app/run/checkpoint_store.h"
#include "app/run/gate_runner.h"
#include "app/run/lost_partitions.h"
#include "app/run/mysql_store.h"
#include "app/run/silence_clock.h"
#include "app/run/stream_metrics.h"
#include "app/run/stream_partition.h"
#include "app/run/stream_status.h"
#include "ingest/source.h"

namespace driftd::app {

struct RuntimeContext {
  const ServiceConfig* service = nullptr;
  Telemetry* telemetry = nullptr;
  const Clock* clock = nullptr;
  CheckpointStore* store = nullptr;
  LostPartitions* lost = nullptr;
  MysqlStore* shared = nullptr;  // the same, when it is one in which several driftd share streams
  // A rejected record; thread-safe.
  std::function<void(const std::string& stream, std::uint32_t partition, const RawRecord&, RejectReason, std::string_view detail)>
      on_reject;
  // Of a stream with quarantine.failed, a record that failed a check; thread-safe.
  std::function<void(const std::string& stream, std::uint32_t partition, const RawRecord&, const ingest::GateMark&)> on_failed;
  // Findings of a window, in order; called under the stream's merger lock.
  std::function<void(ClosedWindow)> on_window;
  // This driftd judges the windows of a shared stream from now on: its alerts as they were put into the store; empty:
  // none. Called under the stream's merger lock.
  std::function<Status(const StreamConfig& stream, std::string_view alerts)> on_lead;
  // Checkpoints everything; called on the polling thread before partitions are given up. An Error: it could not be written.
  std::function<Status()> checkpoint_now;
};

class StreamRuntime final : private ingest::SourceHandler, private OutputSink {
 public:
  static Result<std::unique_ptr<StreamRuntime>> make(RuntimeContext context, std::vector<PlanEdition> plans);
  ~StreamRuntime() override;

  // Restores the merger, opens the source, starts the threads.
  Status start();
  // Orderly: leaves the source (which checkpoints), stops the threads. Idempotent. Streams that are told before leave side by side.
  void stop();
  void tell_to_stop() { stop_ = true; }

  // Before freeze(), until thaw(): what the gate has waiting goes out while others go on, so that forward() is quick. False: not all.
  bool settle(Duration within);
  // Checkpoint protocol: freeze, collect, thaw, (the transaction), committed. Between freeze and thaw no
  // record moves in this stream.
  void freeze();
  // Between freeze and thaw: everything that the checkpoint covers is forwarded, so that no record that it
  // leaves behind is missing in the gate's topics. An Error: there must be no checkpoint now.
  Status forward();
  void collect(Checkpoint& checkpoint) const;
  // The transaction with what collect() gave is done; records may have moved since.
  void committed();
  void thaw();

  // Between freeze and thaw: the start of the first window that no record of the stream can be in yet,
  // here or in the checkpoints of partitions that others have; kNoTime when there was no record.
  Time next_boundary() const;
  // Between freeze and thaw: windows from edition.from (at least next_boundary()) on are judged against
  // its reference.
  Status adopt(const PlanEdition& edition);

  // After stop(): why no checkpoint has all that it has judged; empty: one has.
  const std::string& unsaved() const { return unsaved_; }
  // The stream is stopped here and started anew from its checkpoint.
  void give_up(const std::string& why);
  // Another driftd has the partition: gives up, unless it went in good order while the checkpoint was written.
  void taken_over(std::uint32_t partition);
  // Of a shared stream, every second while no checkpoint is made: hands over to the driftd that judges its windows, or
  // takes from the others, or takes that office. kAlreadyExists: another one has taken it away.
  Status exchange();
  bool leads() const;  // judges the windows of a shared stream
  void resign();       // lets another one do it; after the last checkpoint

  StreamStatus status() const;
  // Why the source gave up, as a Kafka consumer that was fenced; empty: it did not. Only a new runtime helps then.
  std::string failure() const;
  const StreamConfig& config() const { return plan_->config; }
  std::shared_ptr<const stats::Reference> reference() const;  // the newest one; null: none
  ingest::Source* source() { return source_.get(); }          // null: it could not be made

 private:
  using Partition = StreamPartition;

  struct Sharing {  // of a stream whose partitions other driftd may have (stream_sharing.cc)
    bool leads = false;
    std::set<std::uint32_t> mine;                        // partitions that are here
    std::map<std::uint32_t, HandOverProgress> progress;  // of those, while another one leads
    std::set<std::uint32_t> untold;                      // whose progress is not in the store
    std::vector<HandedOver> outputs;                     // not in the store
    std::map<std::uint32_t, HandOverProgress> told;      // of those, as it is in the store
    std::map<std::uint32_t, Time> by_clock;              // ends of the newest of them that the clock closed, by partition
    std::size_t bytes = 0;                               // of them
    MysqlStore::Waiting waiting;                         // of the leader
    std::optional<MysqlStore::Waiting> told_waiting;     // as it is in the store, by this leader; nullopt: that is not known
    // Between collect() and committed():
    HandOver in_checkpoint;
    std::set<std::int64_t> taken_in_checkpoint;
    // While leading:
    std::set<std::int64_t> taken;                // ids of outputs that no checkpoint has in the merger yet
    bool left = false;                           // more is in the store than has room here
    std::set<std::uint32_t> known;               // partitions that any driftd ever had
    Duration watched_since = 0, watched_at = 0;  // monotonic: others are seen without a gap; 0: not
    Duration wait_until = 0;                     // monotonic: for others that may come up at the same time; 0: not
    bool settling = false;                       // the group is
  };

  StreamRuntime(RuntimeContext context, std::vector<PlanEdition> plans);
  Result<std::unique_ptr<PartitionEngine>> make_engine(std::uint32_t partition, RejectSink& rejects) const;

  std::optional<std::int64_t> on_assigned(std::uint32_t partition) override;
  std::optional<RecordMark> mark_of(std::uint32_t partition) override;
  void on_moved(std::uint32_t partition) override;
  void on_start(std::uint32_t partition, std::int64_t position, bool amid) override;
  bool on_elsewhere(std::uint32_t partition, std::int64_t position) override;
  void on_settled() override;
  void on_revoked(const std::vector<std::uint32_t>& partitions) override;
  void on_lost(const std::vector<std::uint32_t>& partitions) override;
  void take(PartitionOutput output) override;

  Status open_gate();
  void poll_loop();
  void dispatch(std::unique_ptr<RawBatch> raw);
  void push(Partition& partition, Worker::Task task);
  void judged(ingest::GateBatch batch);
  void count(Partition& partition);
  void note_detectors(Partition& partition) const;
  void count_late(std::uint64_t records);
  void watch_status();
  void hold_back();
  std::set<std::uint32_t> ahead();
  void end_partitions();
  void commit_positions();
  void forget_positions(std::uint32_t number, Partition& partition);
  bool begin_anew(std::uint32_t number, Partition& partition);
  Time handed_over_until(std::uint32_t number) const;
  // stream_leaving.cc
  void note_unsaved(const std::vector<std::uint32_t>& partitions, const Status& saved);
  void drop(const std::vector<std::uint32_t>& partitions);
  // stream_silence.cc
  void hear(std::uint32_t number, Partition& partition, Duration came_at, Time newest_before);
  Time others_at() const;
  void watch_silence();
  struct Quiet {
    std::uint32_t number;
    Partition* partition;
    Duration since;
    bool speaks;  // but of times that windows should not wait for
    Duration heard_at;
  };
  std::vector<Quiet> quiet(Duration now, const std::set<std::uint32_t>& unread) const;
  std::set<std::uint32_t> at_end_of(const std::vector<Quiet>& partitions);
  void close_silent(const std::vector<Quiet>& partitions);
  void close_idle(std::uint32_t number, Partition& partition, Duration silent);
  Status restore_merger();
  Result<std::unique_ptr<Merger>> make_merger();
  void restore(Partition& partition, const CheckpointUnit& unit);
  void warm_up(Partition& partition, const CheckpointUnit& unit, const std::string& why);
  void report_reconfigured(Time window_start);
  bool new_extra_field(std::string_view& name);
  void tell_merger_partitions();
  void set_merger_partitions();
  // stream_sharing.cc. Precondition of these: merger_mutex_ is held.
  void keep(const PartitionOutput& output);
  void set_idle(std::uint32_t partition, bool idle);
  void wait_for_known();
  void take_progress(const HandOverProgress& progress);
  Status take_news(const MysqlStore::News& news);
  MysqlStore::Room room_of(const Merger& merger) const;
  bool watch_waiting();
  Status take_output(const HandedOver& output);
  HandOver to_hand_over(bool with_checkpoint) const;
  void forget(const HandOver& handed_over);
  void collect_shared(Checkpoint& checkpoint) const;
  // And of these: it is not.
  bool hand_over_full() const;
  std::string reference_at(Time start) const;  // no precondition
  Status try_exchange();
  Status begin_to_lead();
  Status gather(bool once = false);
  Status tell_waiting();
  Status hand_over();
  void committed_shared();

  RuntimeContext context_;
  std::shared_ptr<const StreamPlan> plan_;  // the first; for what is the same in all
  StreamMetrics metrics_;
  std::unique_ptr<ingest::Source> source_;
  std::shared_ptr<GateRunner> gate_;  // null: none
  std::vector<std::unique_ptr<Worker>> workers_;

  mutable std::mutex dispatch_mutex_;
  std::vector<PlanEdition> plans_;
  std::map<std::uint32_t, std::unique_ptr<Partition>> partitions_;
  bool newly_assigned_ = false;                      // and the merger does not know; polling thread
  Duration ask_end_at_ = 0, given_up_at_ = 0;        // monotonic: partitions went, and what comes next is not known; 0: no. Polling thread
  std::set<std::string, std::less<>> extra_fields_;  // names that were told
  std::set<Time> reconfigured_;                      // windows that were reported so; polling thread

  mutable std::mutex merger_mutex_;
  std::unique_ptr<Merger> merger_;
  std::unique_ptr<Sharing> sharing_;  // null: the stream is ours alone. What it points to is under merger_mutex_
  std::atomic<Time> judged_until_{kNoTime};
  std::string merger_lost_;               // why; empty: it was not. This and the next: polling thread, and start()
  std::set<std::uint32_t> started_anew_;  // partitions that have been told of it

  std::mutex commit_mutex_;
  struct Positions {
    std::int64_t newest = 0;    // of the newest checkpoint
    std::int64_t released = 0;  // of the one before it, so of both
  };
  std::map<std::uint32_t, Positions> positions_;  // of partitions that are in a checkpoint
  std::set<std::uint32_t> to_show_;               // those of which the source is to be told

  mutable std::mutex status_mutex_;
  std::string failure_;

  std::atomic<bool> stop_{false};
  std::atomic<bool> given_up_{false};
  std::string unsaved_;                    // polling thread, and after stop()
  std::atomic<bool> left_behind_{false};   // stopped with records that the gate could not forward
  SilenceClock silence_{monotonic_now()};  // polling thread
  bool waiting_full_ = false;              // as much waits in the merger as may; under merger_mutex_
  std::set<std::uint32_t> held_back_;      // partitions that are; polling thread, as the next
  Duration told_held_back_ = 0;            // monotonic: when the log was told; 0: never
  std::thread poller_;
};

}  // namespace driftd::app
