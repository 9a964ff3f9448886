// Service: everything that `driftd run` is: streams, hub, checkpoints, HTTP, reload.
//
// start() and stop() are called by one thread (main's); reload() and checkpoint() by any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/config/config.h"
#include "app/run/checkpoint_check.h"
#include "app/run/data_lock.h"
#include "app/run/finding_hub.h"
#include "app/run/lost_partitions.h"
#include "app/run/mysql_store.h"
#include "app/run/reject_keeper.h"
#include "app/run/sqlite_store.h"
#include "app/run/stream_runtime.h"
#include "core/trusted_clock.h"
#include "exporters/api_source.h"
#include "exporters/http_server.h"
#include "stats/reference_store.h"

namespace driftd::app {

class Service {
 public:
  // `path` is read again by reload(); empty: the configuration came from nowhere (the demo).
  Service(Config config, std::string path);
  ~Service();

  // A stream that cannot start is no error: it is not ready, says why, and is tried again.
  Status start();
  // Streams, alerts and what config_change.h says can change. All or nothing: on an Error everything goes on
  // as before. Waits until the timer's thread has done it, or driftd stops.
  Status reload();
  // The same without waiting: asks for it, and whether what ask_reload() returned is done. What goes wrong is in the log.
  std::uint64_t ask_reload();
  bool reloaded(std::uint64_t asked);
  // Promotions take effect soon, not only with the next checkpoint.
  void look_at_references();
  // Drains, checkpoints, leaves. Idempotent.
  void stop();
  // Writes a checkpoint of everything now. An Error: it could not be written; it was said and counted.
  Status checkpoint();

  // Thread-safe, and waits for nothing: a checkpoint may hang.
  void measure();

  // Grows every second while driftd lives: while its workers, sources and store let checkpoints through.
  // For a watchdog.
  std::uint64_t beats() const { return beats_; }

  // How long stop() may take, as the newest configuration says.
  Duration shutdown_grace() const { return shutdown_grace_; }

  int http_port() const { return http_ == nullptr ? 0 : http_->port(); }
  FindingHub& hub() { return *hub_; }
  std::vector<StreamStatus> stream_status() const;
  // Why /-/ready says no; empty: ready.
  std::vector<std::string> not_ready() const;

  // For the API (service_api.cc).
  Telemetry& telemetry() { return telemetry_; }
  // kCorrupt: the file is damaged (see open_references).
  Result<stats::ReferenceStore*> references();
  // The HTTP source of a stream; null when it has none. The lock keeps the stream alive meanwhile.
  std::shared_ptr<StreamRuntime> stream(const std::string& name) const;

 private:
  RuntimeContext runtime_context();
  CheckpointStore& checkpoints() { return shared_ != nullptr ? static_cast<CheckpointStore&>(*shared_) : *store_; }
  Result<std::vector<PlanEdition>> plans_of(const StreamConfig& stream);
  // service_recovery.cc: opens the store at the newest checkpoint that is whole, and says what was damaged. The hub's
  // state there; nullopt: it is lost.
  Result<std::optional<std::string>> recover();
  Status open_store(bool& lost);
  void written_at(Time at);
  // service_sharing.cc: with a store that several driftd share.
  Result<std::optional<std::string>> open_shared_store();
  void exchange();
  void keep_office(const std::string& stream);
  Status begin_to_lead(const StreamConfig& stream, std::string_view alerts);
  void give_up_fenced(const std::vector<std::shared_ptr<StreamRuntime>>& all);
  [[noreturn]] void superseded(const std::string& why);
  Result<std::optional<std::string>> fall_back(const StateLoader& loader, CheckedGeneration newest,
                                               const std::vector<Generation>& generations);
  Status use(const CheckedGeneration& chosen, bool rebuild);
  Status rebuild_store(std::int64_t generation);
  Result<std::uint64_t> put(const Checkpoint& checkpoint);
  Result<std::shared_ptr<StreamRuntime>> start_stream(const StreamConfig& stream);
  // Says it, once for each reason.
  void not_started(const StreamConfig& stream, const Error& why);
  // Drains it, and its partitions go; its state stays in the store.
  void stop_stream(const std::string& name);
  // Called every second by the timer's thread.
  void restart_failed_streams();
  RejectKeeper& rejected(const std::string& stream);
  // What a checkpoint is past is not read again, so before it.
  void secure_rejected();
  std::vector<std::shared_ptr<StreamRuntime>> running() const;

  // The barrier: all of one moment. An Error: there must be no checkpoint now.
  Result<Checkpoint> collect(const std::vector<std::shared_ptr<StreamRuntime>>& all);
  Status store(const Checkpoint& point);

  void timer_loop();
  // Lets gates send what waits before a checkpoint, for a while.
  void settle();
  // service_reload.cc
  Status reload_now();
  Status try_reload();
  Status change_streams(const std::vector<const StreamConfig*>& changed);
  Status stop_to_change(const std::vector<const StreamConfig*>& changed);
  std::string behind_judged(const std::string& stream);
  void remove_stream(const std::string& name);
  // Promotions that no driftd has taken yet: from the next window boundary of all streams that use them. Tags and
  // versions that streams lack and that are there now: from the next one of each.
  void take_promotions();
  // service_references.cc: a damaged file stays where it is, and streams run without references.
  Status open_references();
  void references_damaged(const Error& why);
  Status take_promotion(const std::string& which, const stats::Promotion& promotion);
  Status take_late(const std::string& which);
  // For windows from `from` on, or from when it can be; that time is settled before, and returned.
  Result<Time> take_reference(const std::vector<const StreamConfig*>& streams, const std::shared_ptr<const stats::Reference>& reference,
                              Time from, const std::function<Status(Time)>& settle);
  void publish_reference(const std::string& stream, const std::shared_ptr<const stats::Reference>& reference);
  void publish_ages();
  Status start_http(std::shared_ptr<exporters::WebAccess> web);

  Config config_;
  std::string path_;
  SystemClock wall_clock_;
  TrustedClock clock_{wall_clock_};
  Telemetry telemetry_;
  LostPartitions lost_;
  std::unique_ptr<DataLock> lock_;      // before all that writes in data_dir
  std::unique_ptr<SqliteStore> store_;  // one of these two
  std::unique_ptr<MysqlStore> shared_;
  std::unique_ptr<stats::ReferenceStore> references_;  // null: the file is damaged
  std::unique_ptr<FindingHub> hub_;

  mutable std::mutex streams_mutex_;  // the map and config_.streams, not the streams
  std::map<std::string, std::shared_ptr<StreamRuntime>> streams_;
  std::map<std::string, std::string> why_not_started_;    // of those that should run and are not in streams_
  std::map<std::string, std::string> without_reference_;  // streams whose reference is damaged or not there yet: why
  std::string references_damage_;                         // what is damaged of references.db; empty: nothing is known

  struct Restart {
    bool planned = false;
    Duration at = 0;  // monotonic: of the next restart when planned, else of the newest one
    Duration wait = 0;
  };
  std::map<std::string, Restart> restarts_;  // of the timer's thread
  std::mt19937_64 random_{std::random_device{}()};

  std::mutex rejected_mutex_;
  std::map<std::string, std::shared_ptr<RejectKeeper>> rejected_;

  std::mutex checkpoint_mutex_;            // one checkpoint at a time; the first in the order of locks
  std::atomic<Duration> checkpointed_{0};  // monotonic
  std::string checkpoint_trouble_;
  std::set<std::string> led_;                            // streams whose alerts are here; of the timer's thread, as is the next
  std::map<std::string, std::string> exchange_trouble_;  // by stream
  std::map<std::string, Duration> unused_since_;         // streams that are led here and do not run; monotonic
  std::atomic<Duration> exchanged_at_{monotonic_now()};  // the newest attempt of exchange()

  std::mutex timer_mutex_;
  std::condition_variable timer_wakes_;
  bool stopping_ = false;
  bool look_at_references_ = false;
  std::atomic<std::uint64_t> beats_{0};
  std::atomic<Duration> shutdown_grace_{0};
  std::uint64_t reloads_wanted_ = 0;
  std::uint64_t reloads_done_ = 0;
  Status reloaded_;  // the newest one's outcome
  std::thread timer_, dispatcher_;
  std::unique_ptr<exporters::ApiSource> api_;
  std::unique_ptr<exporters::HttpServer> http_;
};

}  // namespace driftd::app
