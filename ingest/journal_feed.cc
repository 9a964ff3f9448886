#include "ingest/journal_feed.h"

#include <algorithm>

#include "core/log.h"

namespace driftd::ingest {

JournalFeed::JournalFeed(std::unique_ptr<Journal> journal, const SourceContext& context, std::uint32_t partitions, std::int64_t keep)
    : journal_(std::move(journal)), context_(context), keep_(keep), partitions_(partitions) {
  if (context.telemetry != nullptr) {
    for (const Metric metric : {Metric::kSourceGaps, Metric::kSourceLost}) context.telemetry->series(metric, {context.stream});
  }
}

Status JournalFeed::open(SourceHandler& handler) {
  handler_ = &handler;
  bool known = false;
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    const auto position = handler.on_assigned(p);
    known = known || position;
    const std::int64_t start = position.value_or(0);
    partitions_[p].start = partitions_[p].handed = partitions_[p].released = start;
    newest_ = std::max(newest_, start);
  }
  if (const Status s = begin_behind_checkpoint(handler); !s) return s;
  if (journal_->mended()) count_gap(0);
  // Records are deleted only behind a checkpoint. When none is known there was one, and it is lost; when all of
  // them end before the oldest record, those between are.
  const std::int64_t oldest = journal_->begin();
  if (oldest > newest_) {
    for (std::uint32_t p = 0; p < partitions_.size(); ++p) handler.on_start(p, oldest, true);
    if (known) report({newest_, oldest});
  }
  cursor_ = std::make_unique<JournalCursor>(*journal_, 0);
  read_ = cursor_->position();
  return {};
}

// A number below a partition's position would be taken for a record that is done.
Status JournalFeed::begin_behind_checkpoint(SourceHandler& handler) {
  const std::int64_t end = journal_->end();
  if (newest_ <= end) return {};
  if (const Status s = journal_->begin_at(newest_); !s) return s;
  hole_ = {end, newest_};
  log::error(
      "journal: it ends before what the checkpoint has read of it (was it moved away, damaged, or replaced by an older one?); records that "
      "came after the checkpoint are lost, how many is not known; new ones go on behind it",
      {{"stream", context_.stream}, {"end", std::to_string(end)}, {"checkpoint", std::to_string(newest_)}});
  count_gap(0);
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    const std::int64_t start = partitions_[p].start;
    handler.on_start(p, start < end ? std::max(start, journal_->begin()) : newest_, true);
  }
  return {};
}

void JournalFeed::close() {
  if (handler_ == nullptr) return;
  std::vector<std::uint32_t> all(partitions_.size());
  for (std::uint32_t p = 0; p < all.size(); ++p) all[p] = p;
  handler_->on_revoked(all);
  handler_ = nullptr;
  ready_.clear();
  waiting_ = 0;
  cursor_.reset();
}

Result<bool> JournalFeed::next(RawBatch& out) {
  while (ready_.empty()) {
    if (cursor_ == nullptr) return false;
    JournalCursor::Chunk chunk;
    const auto got = cursor_->next(chunk);
    if (!got) return got.error();
    if (!*got) return false;
    sort_out(chunk);
    if (ready_.empty() && passed_over_ != kNone) return false;  // there may be much more to pass over
  }
  out = std::move(ready_.front());
  ready_.pop_front();
  waiting_ -= static_cast<std::int64_t>(out.records.size());
  partitions_[out.partition].handed = out.next_position;
  return true;
}

// Records of one partition stay in order; which partition comes first does not matter.
void JournalFeed::sort_out(JournalCursor::Chunk& chunk) {
  for (const JournalCursor::Chunk::Gap& gap : chunk.gaps) {
    if (gap.next > seen_) report(gap);
  }
  std::vector<RawBatch*> batches(partitions_.size());
  std::int64_t sorted = 0;
  for (const JournalEntry& entry : chunk.entries) {
    if (entry.partition >= partitions_.size()) {  // no header was left to say that there were more
      if (entry.sequence >= seen_) report({entry.sequence, entry.sequence + 1});
      continue;
    }
    Partition& partition = partitions_[entry.partition];
    if (entry.sequence < partition.start) continue;
    if (partition.held_back) {
      partition.passed_over = std::min(partition.passed_over, entry.sequence);
      passed_over_ = std::min(passed_over_.load(), entry.sequence);
      continue;
    }
    RawBatch*& batch = batches[entry.partition];
    if (batch == nullptr) {
      batch = &ready_.emplace_back();
      batch->partition = entry.partition;
      batch->owner = chunk.bytes;
    }
    RawRecord record;
    record.payload = entry.payload;
    record.topic = entry.topic;
    record.arrival = entry.arrival;
    record.behind = entry.behind;
    record.position = entry.sequence;
    batch->records.push_back(record);
    ++sorted;
    batch->next_position = entry.sequence + 1;
  }
  waiting_ += sorted;
  read_ = cursor_->position();
  seen_ = std::max(seen_, read_.load());
}

void JournalFeed::hold_back(const std::set<std::uint32_t>& partitions) {
  std::int64_t from = kNone;
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    Partition& partition = partitions_[p];
    partition.held_back = partitions.count(p) != 0;
    if (!partition.held_back) from = std::min(from, std::exchange(partition.passed_over, kNone));
  }
  std::erase_if(ready_, [&](const RawBatch& batch) {
    Partition& partition = partitions_[batch.partition];
    if (!partition.held_back) return false;
    partition.passed_over = std::min(partition.passed_over, batch.records.front().position);
    waiting_ -= static_cast<std::int64_t>(batch.records.size());
    return true;
  });
  std::int64_t oldest = kNone;
  for (const Partition& partition : partitions_) oldest = std::min(oldest, partition.passed_over);
  passed_over_ = oldest;
  if (from != kNone && cursor_ != nullptr) read_again(from);
}

// Of each partition what was not handed over, here or in `ready_`.
void JournalFeed::read_again(std::int64_t from) {
  from = std::min(from, done_until());
  ready_.clear();
  waiting_ = 0;
  for (Partition& partition : partitions_) partition.start = partition.handed;
  cursor_ = std::make_unique<JournalCursor>(*journal_, from);
  read_ = cursor_->position();
}

// Records before it are handed over, but for those of partitions that are held back.
std::int64_t JournalFeed::done_until() const {
  std::int64_t low = read_;
  for (const RawBatch& batch : ready_) low = std::min(low, batch.records.front().position);
  return low;
}

std::set<std::uint32_t> JournalFeed::at_end(const std::set<std::uint32_t>& partitions, const std::set<std::uint32_t>& before) {
  const std::int64_t end = journal_->end(), done = done_until();
  std::set<std::uint32_t> out;
  for (const std::uint32_t number : partitions) {
    Partition& partition = partitions_.at(number);
    const std::int64_t asked = std::exchange(partition.asked_end, end);
    if (partition.passed_over == kNone && (done >= end || (before.count(number) != 0 && asked >= 0 && done >= asked))) out.insert(number);
  }
  return out;
}

// A record before the newest position was most likely handed over before the checkpoint, but whether it was
// depends on its partition, which is gone with it: only those behind it are known to be lost.
void JournalFeed::report(const JournalCursor::Chunk::Gap& gap) {
  if (gap.first >= hole_.first && gap.next <= hole_.next) return;
  const std::int64_t lost = std::max<std::int64_t>(0, gap.next - std::max(gap.first, newest_));
  log::error("journal: records are damaged or missing", {{"stream", context_.stream},
                                                         {"first", std::to_string(gap.first)},
                                                         {"records", std::to_string(gap.next - gap.first)},
                                                         {"lost", std::to_string(lost)},
                                                         {"before_the_checkpoint", std::to_string(gap.next - gap.first - lost)}});
  count_gap(lost);
}

void JournalFeed::count_gap(std::int64_t lost) {
  if (context_.telemetry == nullptr) return;
  context_.telemetry->series(Metric::kSourceGaps, {context_.stream}).add();
  context_.telemetry->series(Metric::kSourceLost, {context_.stream}).add(static_cast<double>(lost));
}

void JournalFeed::release(std::uint32_t partition, std::int64_t position) {
  partitions_.at(partition).released = position;
  // A partition that has nothing out holds nothing back; what is in `ready_` is not handed yet.
  std::int64_t low = std::min(done_until(), passed_over_.load());
  for (const Partition& p : partitions_) {
    if (p.handed > p.released) low = std::min(low, p.released);
  }
  journal_->release(low, journal_->end() - keep_);
  if (context_.telemetry != nullptr) {
    context_.telemetry->series(Metric::kJournalBytes, {context_.stream}).set(static_cast<double>(journal_->bytes()));
  }
}

std::int64_t JournalFeed::lag() const { return std::max(unread(), journal_->end() - std::min(read_.load(), passed_over_.load())); }

std::int64_t JournalFeed::unread() const { return journal_->end() - read_.load() + waiting_.load(); }

}  // namespace driftd::ingest
