// A Service whose checkpoints are in a database, beside others that have partitions of the same streams.
#include <cstdlib>
#include <filesystem>
#include <random>

#include "app/config/database_connection.h"
#include "app/config/yaml.h"
#include "app/run/service.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/log.h"

namespace driftd::app {
namespace {

// A checkpoint holds up partitions that are to be given up, and the timer's thread, so a database that hangs must not for long.
constexpr unsigned kPatience = 10;  // seconds
// For so many leases a stream that cannot run here may keep others from judging its windows.
constexpr int kUnusedLeases = 4;

// A name of this driftd that stays, as its data directory does.
Result<std::string> instance_of(const std::string& data_dir) {
  const std::string path = data_dir + "/instance";
  if (std::filesystem::exists(path)) {
    auto known = read_file(path);
    if (known && known->size() == 16) return known;
    // An empty one was made by a version that a full disk or a kill stopped amid; nothing is known under it.
    if (!known || !known->empty())
      return Error{ErrorCode::kCorrupt, path + " is damaged: it must have 16 hex digits; remove it to be another driftd to the store"};
  }
  std::random_device device;
  const std::string made = hex64(static_cast<std::uint64_t>(device()) << 32 | device());
  if (const Status s = replace_file(path, made); !s)
    return Error{ErrorCode::kIo, s.error().message + "; driftd must be able to write in its data_dir"};
  return made;
}

}  // namespace

Result<std::optional<std::string>> Service::open_shared_store() {
  auto connection = database_connection(config_, config_.service.store);
  if (!connection) return connection.error();
  connection->patience = connection->timeout = kPatience;
  const auto instance = instance_of(config_.service.data_dir);
  if (!instance) return instance.error();
  auto store = MysqlStore::open(*connection, *instance, config_.service.store_lease);
  if (!store) return store.error();
  shared_ = std::move(*store);
  checkpointed_ = monotonic_now();
  auto hub = shared_->hub();
  if (!hub && hub.error().code == ErrorCode::kCorrupt) {
    log::error(
        "the state of the findings log in the shared store is damaged; the log goes on from its end, and findings that are computed "
        "again stand in it twice",
        {{"why", hub.error().message}});
    return std::optional<std::string>();
  }
  if (hub) log::info("checkpoints are in a database", {{"store", config_.service.store}, {"instance", *instance}});
  return hub;
}

void Service::exchange() {
  const std::scoped_lock lock(checkpoint_mutex_);
  for (const std::string& name : led_) keep_office(name);
  for (const auto& runtime : running()) {
    const Status done = runtime->exchange();
    if (!done && done.error().code == ErrorCode::kAlreadyExists) superseded("taken for dead: " + done.error().message);
    std::string& trouble = exchange_trouble_[runtime->config().name];
    if (!done && trouble.empty()) {
      log::error("windows of a shared stream cannot be handed over; they wait, and driftd tries again",
                 {{"stream", runtime->config().name}, {"why", done.error().message}});
    } else if (done && !trouble.empty()) {
      log::info("windows of the shared stream are handed over again", {{"stream", runtime->config().name}});
    }
    trouble = done ? "" : done.error().message;
    exchanged_at_ = monotonic_now();
  }
  exchanged_at_ = monotonic_now();
}

void Service::keep_office(const std::string& name) {
  const auto runtime = stream(name);
  if (runtime != nullptr && runtime->failure().empty()) {
    unused_since_.erase(name);
    return;
  }
  // It does not run now, and nobody else may go on from where it was: its alerts and findings are here.
  if (runtime == nullptr) {
    const auto lease = shared_->lead(name, {});
    if (lease && *lease == MysqlStore::Lease::kLost)
      superseded("taken for dead: another driftd judges the windows of stream " + name + " now");
  }
  const Duration now = monotonic_now(), since = unused_since_.try_emplace(name, now).first->second;
  if (now - since < kUnusedLeases * config_.service.store_lease) return;
  if (const Status s = shared_->resign(name); !s) {
    log::warning("another driftd can judge the windows of the stream only when the lease is over",
                 {{"stream", name}, {"why", s.error().message}});
  }
  superseded("stream " + name + " does not run here, and only without this driftd another one may judge its windows");
}

// A stream that was started anew here, and led all the while, goes on with the alerts that are here: they are newer, and what
// is computed again is passed over (FindingHub::take).
Status Service::begin_to_lead(const StreamConfig& stream, std::string_view alerts) {
  if (led_.count(stream.name) != 0) return {};
  const Status adopted = hub_->adopt(stream, alerts);
  if (adopted) led_.insert(stream.name);
  return adopted;
}

void Service::give_up_fenced(const std::vector<std::shared_ptr<StreamRuntime>>& all) {
  for (const auto& [stream, partition] : shared_->fenced()) {
    for (const auto& runtime : all) {
      if (runtime->config().name == stream) runtime->taken_over(partition);
    }
  }
}

// What the mergers here have taken since the newest checkpoint was taken by the other's too. To forget it all is what a
// kill does, and what a start goes on from is whole.
void Service::superseded(const std::string& why) {
  log::error("this driftd does not lead any more; it ends at once and must be started again, which goes on from the newest checkpoint",
             {{"why", why}});
  std::_Exit(EXIT_FAILURE);
}

}  // namespace driftd::app
