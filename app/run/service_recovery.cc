// Where a Service goes on from: the newest checkpoint that is whole.
//
// A checkpoint is used as a whole. Units of one with the merger of another would count records twice or lose
// them: what a partition has handed over is in the merger, and how far the findings log goes is in the hub.
#include <algorithm>

#include "app/run/service.h"
#include "core/log.h"

namespace driftd::app {
namespace {

std::string time_or_never(Time at) { return at == 0 ? "never" : format_time(at); }

}  // namespace

Result<std::optional<std::string>> Service::recover() {
  for (const char* to : {"previous", "partial", "nothing"}) telemetry_.series(Metric::kCheckpointFallbacks, {to});
  bool lost = false;
  if (const Status s = open_store(lost); !s) return s.error();
  checkpointed_ = monotonic_now();  // the age of none: since now
  if (lost) return std::optional<std::string>();
  const auto generations = store_->generations();
  if (!generations) return generations.error();
  if (generations->empty()) return std::optional<std::string>();  // whatever is in the findings log was not written beside this store
  StateLoader loader;
  for (const StreamConfig& stream : config_.streams) {
    // A stream without plans does not start, and says why then. Without its reference its states cannot be loaded, which
    // does not mean that they are damaged.
    if (references_ == nullptr && !stream.reference.empty()) continue;
    auto plans = plans_for(stream, references_.get(), config_.service.findings_all);
    if (plans) loader.know(stream.name, std::move(*plans));
  }
  CheckedGeneration newest = check_generation(*store_, generations->front(), loader);
  if (newest.damaged() != 0) return fall_back(loader, std::move(newest), *generations);
  written_at(newest.generation.at);
  auto state = store_->hub(newest.generation.number);
  if (!state) return state.error();
  return std::optional<std::string>(std::move(*state));
}

void Service::written_at(Time at) {
  clock_.was(at);
  checkpointed_ = monotonic_now() - std::max<Duration>(clock_.latest() - at, 0);
}

// A file that is no database any more makes room for a new one: a service that needs a human to start would
// miss all that comes meanwhile.
Status Service::open_store(bool& lost) {
  const std::string path = config_.service.data_dir + "/state.db";
  auto store = SqliteStore::open(path);
  // Its first page may be whole and the list of checkpoints not.
  Status usable = store ? Status() : Status(store.error());
  if (store) {
    const auto generations = (*store)->generations();
    if (!generations) usable = generations.error();
  }
  if (usable) {
    store_ = std::move(*store);
    return {};
  }
  if (usable.error().code != ErrorCode::kCorrupt) return usable;
  if (store) store->reset();
  const auto aside = SqliteStore::begin_anew(path, clock_.now());
  if (!aside) return aside.error();
  log::error(
      "the checkpoint store cannot be read; it was moved aside and driftd starts without state: a Kafka stream goes on where its group "
      "stands, a journal at its oldest record, both warm up (windows that are open get no verdict); alerts that fired are forgotten, and "
      "findings that are computed again stand in the log twice",
      {{"why", usable.error().message}, {"moved_to", *aside}});
  telemetry_.series(Metric::kCheckpointFallbacks, {"nothing"}).add();
  lost = true;
  auto fresh = SqliteStore::open(path);
  if (!fresh) return fresh.error();
  store_ = std::move(*fresh);
  return {};
}

Result<std::optional<std::string>> Service::fall_back(const StateLoader& loader, CheckedGeneration newest,
                                                      const std::vector<Generation>& generations) {
  std::vector<CheckedGeneration> checked;
  checked.push_back(std::move(newest));
  for (std::size_t i = 1; i < generations.size(); ++i) checked.push_back(check_generation(*store_, generations[i], loader));
  const std::size_t best = best_of(checked);
  const CheckedGeneration& chosen = checked[best];
  const bool whole = chosen.damaged() == 0;
  telemetry_.series(Metric::kCheckpointFallbacks, {whole ? "previous" : "partial"}).add();
  const std::string before = checked.size() > 1 ? time_or_never(checked[1].generation.at) : "none";
  if (whole) {
    log::error(
        "the newest checkpoint is damaged; driftd goes on from the one before it: what came since is read and computed again, with the "
        "same "
        "findings and messages under the same ids, and nothing is lost",
        {{"damaged", checked[0].what_is_damaged()}, {"newest", time_or_never(checked[0].generation.at)}, {"going_on_from", before}});
  } else {
    log::error(
        "no checkpoint is whole; driftd goes on from the one with the least damage: partitions whose state is damaged, and all of a stream "
        "whose merger is, warm up from their positions (windows that are open get no verdict); if the alerts are, those that fired are "
        "forgotten, and findings that are computed again stand in the log twice",
        {{"damaged", chosen.what_is_damaged()}, {"going_on_from", time_or_never(chosen.generation.at)}, {"before", before}});
  }
  bool rebuild = false;
  for (const CheckedGeneration& c : checked) rebuild = rebuild || !c.readable;
  std::optional<std::string> hub;
  if (chosen.parts.front().intact) {
    auto state = store_->hub(chosen.generation.number);
    if (!state) return state.error();
    hub = std::move(*state);
  }
  if (const Status s = use(chosen, rebuild); !s) return s.error();
  written_at(chosen.generation.at);
  return hub;
}

// The chosen one becomes the newest.
Status Service::use(const CheckedGeneration& chosen, bool rebuild) {
  if (!rebuild) {
    const Status dropped = store_->drop_newer(chosen.generation.number);
    if (dropped || dropped.error().code != ErrorCode::kCorrupt) return dropped;
  }
  return rebuild_store(chosen.generation.number);
}

// Pages that are damaged while driftd runs are found when they are to be used again, and would be each time.
Result<std::uint64_t> Service::put(const Checkpoint& checkpoint) {
  if (shared_ != nullptr) {
    auto written = shared_->put(checkpoint);
    if (!written && written.error().code == ErrorCode::kAlreadyExists) superseded("taken for dead: " + written.error().message);
    return written;
  }
  auto written = store_->put(checkpoint);
  if (written || written.error().code != ErrorCode::kCorrupt) return written;
  const auto generations = store_->generations();
  if (const Status s = rebuild_store(generations && !generations->empty() ? generations->front().number : 0); !s) return s.error();
  return store_->put(checkpoint);
}

Status Service::rebuild_store(std::int64_t generation) {
  const auto aside = store_->rebuild(generation, clock_.now());
  if (!aside) return aside.error();
  log::error("the checkpoint store has damaged pages; a new file was made of what can be read, and driftd goes on with it",
             {{"moved_to", *aside}});
  return {};
}

}  // namespace driftd::app
