// The side of StreamRuntime that deals with other driftd which have partitions of the same stream.
//
// One of them leads: its merger judges the stream's windows. What partitions of the others hand over goes through the
// store. It is the same whoever computes it, so the merger passes over what comes a second time; what must not happen is
// that it hears of a later window of a partition before an earlier one.
#include <algorithm>
#include <utility>

#include "app/run/stream_runtime.h"
#include "core/log.h"

namespace driftd::app {
namespace {

// Those that come up together with the first leader have said by then which partitions are theirs.
constexpr Duration kOthersComeUpWithin = 10 * kSecond;
// A partition that nobody reads for so long, or windows.idle, is waited for as one that is silent: there may be none any more.
constexpr Duration kUnreadWithin = 2 * kMinute;
constexpr Duration kWatchGap = 30 * kSecond;
constexpr Duration kGatherFor = 500 * kMillisecond;
constexpr std::size_t kInMemory = 4;  // what is stored takes so many times as much there, about

}  // namespace

bool StreamRuntime::leads() const {
  const std::scoped_lock lock(merger_mutex_);
  return sharing_ != nullptr && sharing_->leads;
}

Status StreamRuntime::exchange() {
  if (sharing_ == nullptr) return {};
  const Status done = try_exchange();
  if (done) return done;
  // Partitions of others that were idle may have woken up since.
  const std::scoped_lock lock(merger_mutex_);
  sharing_->watched_since = 0;
  for (const std::uint32_t partition : sharing_->known) {
    if (sharing_->mine.count(partition) == 0) merger_->set_idle(partition, false);
  }
  return done;
}

Status StreamRuntime::try_exchange() {
  const std::string& name = plan_->config.name;
  bool leading = false;
  std::set<std::uint32_t> mine;
  {
    const std::scoped_lock lock(merger_mutex_);
    leading = sharing_->leads;
    mine = sharing_->mine;
  }
  const auto lease = context_.shared->lead(name, mine);
  if (!lease) return lease.error();
  if (*lease == MysqlStore::Lease::kLost) {
    return Error{ErrorCode::kAlreadyExists, "another driftd judges the windows of stream " + name + " now"};
  }
  if (given_up_) return {};  // its office stays here until it is started anew
  const Status done = *lease == MysqlStore::Lease::kFollows ? hand_over() : leading ? gather() : begin_to_lead();
  context_.telemetry->series(Metric::kStreamLeads, {name}).set(leads() ? 1 : 0);
  return done;
}

void StreamRuntime::taken_over(std::uint32_t partition) {
  {
    const std::scoped_lock lock(dispatch_mutex_);
    if (partitions_.count(partition) == 0) return;
  }
  give_up("another driftd has taken over partition " + std::to_string(partition));
}

void StreamRuntime::resign() {
  if (sharing_ == nullptr) return;
  if (const Status s = context_.shared->resign(plan_->config.name); !s) {
    log::warning("another driftd can judge the windows of the stream only when the lease is over",
                 {{"stream", plan_->config.name}, {"why", s.error().message}});
  }
}

Status StreamRuntime::begin_to_lead() {
  const std::string& name = plan_->config.name;
  const auto merger = context_.shared->unit(name, kMergerUnit);
  if (!merger) return merger.error();
  const auto alerts = context_.shared->unit(name, kAlertsUnit);
  if (!alerts) return alerts.error();
  auto fresh = make_merger();
  if (!fresh) return fresh.error();
  const bool known = *merger && (*merger)->config_hash == plan_->config.hash;
  if (known) {
    ByteReader in((*merger)->state);
    if (const Status s = (*fresh)->load(in); !s) return s;
  }
  (*fresh)->hold(true);
  {
    // Of each partition first what is in the store, then what is still here, then what workers hand over next.
    const std::scoped_lock lock(merger_mutex_);
    const auto news = context_.shared->news(name, plan_->config.hash, {}, room_of(**fresh));
    if (!news) return news.error();
    if (const Status s = context_.on_lead(plan_->config, *alerts ? (*alerts)->state : ""); !s) return s;
    merger_ = std::move(*fresh);
    judged_until_ = merger_->complete_until();
    sharing_->taken.clear();
    sharing_->known.clear();
    sharing_->told_waiting.reset();
    sharing_->watched_since = 0;
    sharing_->wait_until = monotonic_now() + (known ? 0 : kOthersComeUpWithin);
    if (const Status s = take_news(*news); !s) return s;
    for (const HandedOver& output : sharing_->outputs) {
      if (const auto late = merger_->take_stored(output.output); !late) return late.error();
    }
    for (const std::uint32_t partition : sharing_->untold) take_progress(sharing_->progress[partition]);
    forget(to_hand_over(true));
    sharing_->leads = true;
    wait_for_known();
  }
  log::info("this driftd judges the windows of the stream", {{"stream", name}});
  return tell_waiting();
}

Status StreamRuntime::gather(bool once) {
  // Not for so long that the lease is over.
  const Deadline deadline = Deadline::after(kGatherFor);
  for (bool more = true; more;) {
    std::set<std::int64_t> taken;
    MysqlStore::Room room;
    {
      const std::scoped_lock lock(merger_mutex_);
      taken = sharing_->taken;
      room = room_of(*merger_);
    }
    const auto news = context_.shared->news(plan_->config.name, plan_->config.hash, taken, room);
    if (!news) return news.error();
    const std::scoped_lock lock(merger_mutex_);
    if (const Status s = take_news(*news); !s) return s;
    more = !once && sharing_->left && !news->outputs.empty() && !deadline.passed();
  }
  return once ? Status() : tell_waiting();  // what two threads tell at a time may be stored in any order
}

// Of partitions that are here nothing may stay in the store, as what they hand over comes behind it.
MysqlStore::Room StreamRuntime::room_of(const Merger& merger) const {
  const std::size_t most = context_.service->waiting_cap;
  const std::size_t bytes = (most - std::min(most, merger.pending_bytes())) / kInMemory;
  const std::set<std::uint32_t>& mine = sharing_->mine;
  // While nothing is judged no window is done with.
  if (merger.held()) return {bytes, bytes, merger.oldest_pending(), kNoTime, mine};
  return {bytes, std::max(bytes, most / kInMemory), merger.oldest_pending(), merger.closed_by(mine), mine};
}

Status StreamRuntime::take_news(const MysqlStore::News& news) {
  const std::string& hash = plan_->config.hash;
  for (const MysqlStore::Output& output : news.outputs) {
    if (const Status s = take_output(output.what); !s) return s;
    sharing_->taken.insert(output.id);
  }
  // Where the partition is, that window ended as `reconfigured`.
  sharing_->taken.insert(news.of_before.begin(), news.of_before.end());
  // That nobody reads a partition is believed after as long a look at it: when the server or all driftd were away, what it says of
  // them is old.
  const Duration unread_within = std::max(plan_->config.windows.idle, kUnreadWithin), now = monotonic_now();
  if (sharing_->watched_since == 0 || now - sharing_->watched_at > kWatchGap) sharing_->watched_since = now;
  sharing_->watched_at = now;
  const bool watched = now - sharing_->watched_since > unread_within;
  const std::size_t before = sharing_->known.size();
  sharing_->left = news.complete_until.has_value();
  for (HandOverProgress p : news.progress) {
    sharing_->known.insert(p.partition);
    if (sharing_->mine.count(p.partition) != 0 || p.config_hash != hash) continue;
    p.closed_until = std::min(p.closed_until, news.complete_until.value_or(p.closed_until));
    take_progress(p);
  }
  if (sharing_->known.size() != before || sharing_->wait_until != 0) wait_for_known();
  for (const HandOverProgress& p : news.progress) {
    if (sharing_->mine.count(p.partition) != 0) continue;
    const bool unread = watched && news.unread.at(p.partition) > unread_within;
    const bool left = news.left_of.count(p.partition) != 0;
    merger_->set_idle(p.partition, !left && (unread || (p.idle && p.config_hash == hash)));
  }
  return {};
}

Status StreamRuntime::take_output(const HandedOver& output) {
  if (reference_at(output.end - plan_->config.windows.slide) != output.reference) {
    return Error{ErrorCode::kInvalidArgument,
                 "partition " + std::to_string(output.partition) +
                     " of another driftd counts by another reference than this one: the same versions must be promoted for the same time "
                     "(`driftd reference promote --at`) on both"};
  }
  const auto late = merger_->take_stored(output.output);
  if (!late) return late.error().at("partition " + std::to_string(output.partition) + ", handed over by another driftd");
  if (*late != 0) count_late(*late);
  return {};
}

// The hash of the reference in whose bins a window that starts then is counted.
std::string StreamRuntime::reference_at(Time start) const {
  for (auto edition = plans_.rbegin(); edition != plans_.rend(); ++edition) {
    if (edition->from > start) continue;
    return edition->plan->reference == nullptr ? "" : edition->plan->reference->hash;
  }
  return "";
}

// So that partitions of others that fall idle close the windows that this one waits for, and those that are ahead stop.
Status StreamRuntime::tell_waiting() {
  MysqlStore::Waiting waiting;
  {
    const std::scoped_lock lock(merger_mutex_);
    waiting = {merger_->waiting_until(), watch_waiting() ? merger_->oldest_pending() : kNoTime};
    sharing_->waiting = waiting;
    if (sharing_->told_waiting == waiting) return {};
    sharing_->told_waiting.reset();
  }
  if (const Status s = context_.shared->tell_waiting(plan_->config.name, waiting); !s) return s;
  const std::scoped_lock lock(merger_mutex_);
  sharing_->told_waiting = waiting;
  return {};
}

void StreamRuntime::take_progress(const HandOverProgress& progress) {
  PartitionOutput told;
  told.partition = progress.partition;
  told.closed_until = progress.closed_until;
  told.warm_from = progress.warm_from;
  merger_->take(std::move(told));
}

// A partition that is at none of the driftd now is waited for too: one of them gets it.
void StreamRuntime::wait_for_known() {
  std::set<std::uint32_t> all = sharing_->known;
  all.insert(sharing_->mine.begin(), sharing_->mine.end());
  if (sharing_->wait_until != 0 && monotonic_now() >= sharing_->wait_until) sharing_->wait_until = 0;
  const bool held = !sharing_->leads || sharing_->settling || sharing_->wait_until != 0;
  merger_->hold(true);
  merger_->set_partitions({all.begin(), all.end()});
  if (!held) merger_->hold(false);
}

// For the one that leads.
void StreamRuntime::keep(const PartitionOutput& output) {
  HandOverProgress& progress = sharing_->progress[output.partition];
  if (output.end != kNoTime && progress.closed_until != kNoTime && output.end <= progress.closed_until) return;
  progress.closed_until = std::max(progress.closed_until, output.closed_until);
  progress.warm_from = std::max(progress.warm_from, output.warm_from);
  sharing_->untold.insert(output.partition);
  if (output.end == kNoTime) return;
  if (*output.closed_by != '\0') sharing_->by_clock[output.partition] = output.end;
  ByteWriter out;
  output.save(out);
  sharing_->bytes += out.size();
  sharing_->outputs.push_back(
      {plan_->config.name, output.partition, output.end, plan_->config.hash, reference_at(output.start), out.take()});
  context_.telemetry->series(Metric::kHandOverPending, {plan_->config.name}).set(static_cast<double>(sharing_->bytes));
}

// Windows that the clock has closed may turn out otherwise after a crash, so they go with the checkpoint that has the
// partition behind them only, as does what comes after them.
HandOver StreamRuntime::to_hand_over(bool with_checkpoint) const {
  const auto may = [&](std::uint32_t partition) { return with_checkpoint || sharing_->by_clock.count(partition) == 0; };
  HandOver out;
  for (const HandedOver& output : sharing_->outputs) {
    if (may(output.partition)) out.outputs.push_back(output);
  }
  for (const std::uint32_t partition : sharing_->untold) {
    const HandOverProgress& now = sharing_->progress.at(partition);
    if (may(partition)) {
      out.progress.push_back(now);
      continue;
    }
    // That it has woken up cannot wait: windows would go out without it.
    const auto told = sharing_->told.find(partition);
    if (now.idle || told == sharing_->told.end() || !told->second.idle) continue;
    out.progress.push_back(told->second);
    out.progress.back().idle = false;
  }
  return out;
}

// It is in the store.
void StreamRuntime::forget(const HandOver& handed_over) {
  std::set<std::pair<std::uint32_t, Time>> stored;
  for (const HandedOver& output : handed_over.outputs) stored.emplace(output.partition, output.end);
  std::erase_if(sharing_->outputs, [&](const HandedOver& o) { return stored.count({o.partition, o.end}) != 0; });
  sharing_->bytes = 0;
  for (const HandedOver& left : sharing_->outputs) sharing_->bytes += left.output.size();
  for (const HandOverProgress& told : handed_over.progress) {
    const auto now = sharing_->progress.find(told.partition);
    if (now != sharing_->progress.end()) sharing_->told.insert_or_assign(told.partition, told);
    if (now != sharing_->progress.end() && now->second == told) sharing_->untold.erase(told.partition);
  }
  context_.telemetry->series(Metric::kHandOverPending, {plan_->config.name}).set(static_cast<double>(sharing_->bytes));
}

void StreamRuntime::set_idle(std::uint32_t partition, bool idle) {
  if (sharing_ == nullptr || sharing_->leads) return merger_->set_idle(partition, idle);
  const auto it = sharing_->progress.find(partition);
  if (it == sharing_->progress.end() || it->second.idle == idle) return;
  it->second.idle = idle;
  sharing_->untold.insert(partition);
}

// Between two checkpoints, so that the leader need not wait for the next one.
Status StreamRuntime::hand_over() {
  HandOver what;
  {
    const std::scoped_lock lock(merger_mutex_);
    what = to_hand_over(false);
  }
  if (!what.outputs.empty() || !what.progress.empty()) {
    if (const Status s = context_.shared->hand_over(what); !s) return s;
    const std::scoped_lock lock(merger_mutex_);
    forget(what);
  }
  const auto waiting = context_.shared->waiting(plan_->config.name);
  if (!waiting) return waiting.error();
  const std::scoped_lock lock(merger_mutex_);
  sharing_->waiting = *waiting;
  return {};
}

// Workers are drained.
void StreamRuntime::collect_shared(Checkpoint& checkpoint) const {
  sharing_->in_checkpoint = to_hand_over(true);
  // Of an attempt to lead that failed half-way no merger is stored that has them.
  if (!sharing_->leads) sharing_->taken.clear();
  sharing_->taken_in_checkpoint = sharing_->taken;
  HandOver& all = checkpoint.handed_over;
  const HandOver& ours = sharing_->in_checkpoint;
  all.outputs.insert(all.outputs.end(), ours.outputs.begin(), ours.outputs.end());
  all.progress.insert(all.progress.end(), ours.progress.begin(), ours.progress.end());
  checkpoint.taken.insert(checkpoint.taken.end(), sharing_->taken.begin(), sharing_->taken.end());
}

void StreamRuntime::committed_shared() {
  const std::scoped_lock lock(merger_mutex_);
  for (const std::int64_t id : std::exchange(sharing_->taken_in_checkpoint, {})) sharing_->taken.erase(id);
  forget(std::exchange(sharing_->in_checkpoint, {}));
  // But for those that were closed since.
  const auto stored = [&](const auto& closed) {
    return std::none_of(sharing_->outputs.begin(), sharing_->outputs.end(),
                        [&](const HandedOver& o) { return o.partition == closed.first && o.end == closed.second; });
  };
  std::erase_if(sharing_->by_clock, stored);
}

}  // namespace driftd::app
