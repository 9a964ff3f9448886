#include "ingest/kafka_positions.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>

#include "core/log.h"
#include "ingest/kafka_start.h"
#include "ingest/kafka_watermarks.h"

namespace driftd::ingest {
namespace {

constexpr int kBrokerTimeoutMillis = 5000;
// Of one question to a broker that did not answer before, while the records of other partitions wait; and the pause after it.
constexpr int kAgainMillis = 1000;
constexpr Duration kAskEvery = 2 * kSecond;

}  // namespace

KafkaPositions::KafkaPositions(const KafkaSettings& settings, const SourceContext& context, std::string id, KafkaHandle client,
                               KafkaPartitions& partitions, SourceHandler& handler)
    : stream_(context.stream),
      telemetry_(context.telemetry),
      from_latest_(settings.from_latest),
      client_(std::move(client)),
      partitions_(partitions),
      handler_(handler),
      topics_(settings.topics, settings.connection, client_),
      assignment_(client_.get(), stream_),
      id_(std::move(id)),
      begin_(client_, stream_, id_),
      queues_(std::make_unique<KafkaFetchQueues>(client_, [this](rd_kafka_message_t* message) { left_.push_back(message); })) {
  if (telemetry_ == nullptr) return;
  for (const Metric metric : {Metric::kSourceGaps, Metric::kSourceLost}) telemetry_->series(metric, {stream_});
}

KafkaPositions::~KafkaPositions() {
  queues_.reset();
  for (rd_kafka_message_t* message : left_) rd_kafka_message_destroy(message);
}

std::int64_t KafkaPositions::start() const {
  // A gate that was killed before the first checkpoint goes on where it stood.
  if (gated_ && from_latest_) return RD_KAFKA_OFFSET_STORED;
  return from_latest_ ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
}

void KafkaPositions::assign(rd_kafka_topic_partition_list_t& list) {
  std::vector<rd_kafka_topic_partition_t*> ask;
  for (int i = 0; i < list.cnt; ++i) {
    rd_kafka_topic_partition_t& entry = list.elems[i];
    const auto number = partitions_.number_of(entry.topic, entry.partition);
    if (!number) continue;
    queues_->keep(*number, entry.topic, entry.partition);
    auto position = handler_.on_assigned(*number);
    auto mark = position ? handler_.mark_of(*number) : std::nullopt;
    if (mark && mark->topic != hash_of_topic(entry.topic)) {
      log::error("kafka: `topics` has another topic in its place than it had: this one goes on where the group stands, and warms up",
                 {{"stream", stream_}, {"topic", entry.topic}, {"partition", std::to_string(entry.partition)}});
      handler_.on_moved(*number);
      moved_.insert(*number);
      position.reset();
      mark.reset();
    }
    partitions_.assign(*number, position);
    if (mark) partitions_.expect(*number, *mark);
    entry.offset = position ? partitions_.find(*number)->read_from() : start();
    if (position) known_topics_.insert(entry.topic);
    if (topics_.doubtful(*number)) {
      partitions_.find(*number)->held = true;
      if (!position) entry.offset = RD_KAFKA_OFFSET_BEGINNING;
      continue;
    }
    ask.push_back(&entry);
  }
  // While a gate that was killed has left a transaction open there is no answer; its successor here ends it after this.
  if (!ask.empty()) decide(ask, gated_ ? kAgainMillis : kBrokerTimeoutMillis);
  note_starts(list);
  assignment_.add(list);
}

void KafkaPositions::unassign(const rd_kafka_topic_partition_list_s& list) {
  for (int i = 0; i < list.cnt; ++i) {
    const auto number = partitions_.number_of(list.elems[i].topic, list.elems[i].partition);
    if (!number) continue;
    undecided_.erase(*number);
    moved_.erase(*number);
    begin_.forget(*number);
  }
  assignment_.remove(list);
}

void KafkaPositions::decide(const std::vector<rd_kafka_topic_partition_t*>& entries, int patience_millis) {
  const auto group = group_positions(client_.get(), entries, patience_millis);
  // Where those end that may have to start there; after an Error none is known.
  const KafkaList ends = new_kafka_list();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!group[i]) continue;
    if (group[i]->offset >= 0) known_topics_.insert(entries[i]->topic);
    const auto* ours = partitions_.find(*partitions_.number_of(entries[i]->topic, entries[i]->partition));
    if (from_latest_ && !gated_ && ours->taken < 0 && group[i]->offset <= 0) {
      add_offset(*ends, entries[i]->topic, entries[i]->partition, kNoEnd);
    }
  }
  const Status told = kafka_ends_where_led(client_.get(), *ends, patience_millis);
  std::set<std::string> begun;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint32_t number = *partitions_.number_of(entries[i]->topic, entries[i]->partition);
    const bool known_topic = known_topics_.count(entries[i]->topic) != 0 && unbegun_.count(number) == 0;
    const auto* end = rd_kafka_topic_partition_list_find(ends.get(), entries[i]->topic, entries[i]->partition);
    const auto offset = group[i] ? offset_of(number, *group[i], known_topic, end == nullptr ? kNoEnd : end->offset) : std::nullopt;
    if (group[i]) begun.insert(entries[i]->topic);
    partitions_.find(number)->held = !offset;
    if (offset) {
      entries[i]->offset = *offset;
      undecided_.erase(number);
      unbegun_.erase(number);
      continue;
    }
    if (group[i] && !known_topic) unbegun_.insert(number);
    if (undecided_.insert(number).second) {
      log::warning("kafka: where to start is not known yet; the partition waits for it",
                   {{"stream", stream_},
                    {"topic", entries[i]->topic},
                    {"partition", std::to_string(entries[i]->partition)},
                    {"why", !group[i]   ? "where the group stands is not told"
                            : told.ok() ? "the partition has no leader, who would know where it ends"
                                        : told.error().message}});
    }
  }
  known_topics_.merge(begun);
  next_ask_ = monotonic_now() + kAskEvery;
}

std::optional<std::int64_t> KafkaPositions::offset_of(std::uint32_t number, const GroupPosition& group, bool known_topic,
                                                      std::int64_t end) {
  const std::int64_t ours = partitions_.find(number)->taken;
  if (ours >= 0) {
    const bool go_on = group.offset <= ours || group.by == id_ || !handler_.on_elsewhere(number, group.offset);
    if (go_on) return partitions_.find(number)->read_from();
    partitions_.assign(number, group.offset);
    return group.offset;
  }
  // Our gate was killed before the first checkpoint. What it forwarded is judged again from the beginning, and passed over by it.
  if (gated_ && (group.offset <= 0 || (group.by == id_ && moved_.count(number) == 0))) return this->start();
  const auto start = kafka_start(group, from_latest_, known_topic, end == kNoEnd ? std::nullopt : std::optional(end));
  if (!start) return std::nullopt;
  if (start->position) handler_.on_start(number, *start->position, start->amid);
  return start->offset;
}

void KafkaPositions::ask_again() {
  if (undecided_.empty() || monotonic_now() < next_ask_) return;
  const KafkaList list = new_kafka_list();
  for (const std::uint32_t number : undecided_) {
    if (!topics_.doubtful(number)) partitions_.add_to(*list, number);
  }
  if (list->cnt == 0) return;
  std::vector<rd_kafka_topic_partition_t*> entries;
  for (int i = 0; i < list->cnt; ++i) entries.push_back(&list->elems[i]);
  decide(entries, kAgainMillis);
  const KafkaList decided = new_kafka_list();
  for (const auto* e : entries) {
    if (!partitions_.find(*partitions_.number_of(e->topic, e->partition))->held) add_offset(*decided, e->topic, e->partition, e->offset);
  }
  if (decided->cnt > 0) restart(*decided);
}

std::string KafkaPositions::waits_for_group() const {
  if (undecided_.empty()) return begin_.trouble();
  const auto led = [&](std::uint32_t number) { return unbegun_.count(number) == 0; };
  if (std::none_of(undecided_.begin(), undecided_.end(), led)) {
    return "where " + std::to_string(undecided_.size()) + " partition(s) end, to start there: no leader of theirs says";
  }
  return "where the group stands in " + std::to_string(undecided_.size()) +
         " partition(s): its coordinator does not say (is it there, and may driftd's user read the group?)";
}

std::string KafkaPositions::watch() {
  topics_.look();
  for (auto& p : partitions_.all()) {
    if (topics_.doubtful(p.number)) p.held = true;
    if (p.anew) {
      go_on(p, false);
      continue;
    }
    // What came before goes first.
    const bool asks = undecided_.count(p.number) != 0 || begin_.waits(p.number);
    if (!p.held || !p.waiting->empty() || (asks && !topics_.doubtful(p.number))) continue;
    const auto same = topics_.same(p.number, partitions_);
    if (same) go_on(p, *same);
  }
  ask_again();
  take_begun();
  const std::string trouble = topics_.trouble();
  return trouble.empty() ? waits_for_group() : trouble;
}

void KafkaPositions::go_on(KafkaPartitions::Partition& p, bool same) {
  p.held = p.anew = false;
  topics_.settled(p.number);
  if (begin_.waits(p.number)) return begin_at(p, 0);  // the group is not to have where an older topic ended
  const bool anew = !same && p.taken >= 0;
  if (anew) {
    log::error("kafka: a topic was deleted and made anew; it is read from its beginning, what was not read of the old one is lost",
               {{"stream", stream_},
                {"topic", partitions_.topic_of(p.number)},
                {"partition", std::to_string(KafkaPartitions::id_of(p.number))},
                {"read_to", std::to_string(p.taken)}});
    return begin_at_oldest(p, RD_KAFKA_OFFSET_BEGINNING);
  }
  const KafkaList list = new_kafka_list();
  partitions_.add_to(*list, p.number, p.taken >= 0 ? p.read_from() : RD_KAFKA_OFFSET_BEGINNING);
  if (p.taken < 0) {
    known_topics_.insert(partitions_.topic_of(p.number));  // all of its records are newer than our start
    if (!gated_) decide({&list->elems[0]}, kBrokerTimeoutMillis);
    if (p.held) return;
  }
  restart(*list);
}

// Our position is not in the topic any more (retention was faster, or the topic was made anew):
// goes on at the oldest record there is, and says so.
void KafkaPositions::close_gap(const rd_kafka_message_t& message) {
  const std::string topic = rd_kafka_topic_name(message.rkt);
  const auto number = partitions_.number_of(topic, message.partition);
  auto* ours = number ? partitions_.find(*number) : nullptr;
  if (ours == nullptr || ours->held) return;
  const auto marks = kafka_watermarks(client_.get(), topic, message.partition, kBrokerTimeoutMillis);
  const std::int64_t wanted = ours->taken >= 0 ? ours->taken : message.offset;
  // Its leader has gone since: whoever leads next says it again, if it is so. Or a new one had not caught up with the one that we
  // read from before, and has now. Or there is what came before the gap, and goes first: else the warm-up would be spent on it.
  if (!marks || (marks->low <= wanted && wanted <= marks->end) || !ours->waiting->empty()) {
    if (marks && ours->mark && ours->mark->position < marks->low) ours->mark.reset();
    const KafkaList list = new_kafka_list();
    partitions_.add_to(*list, *number, ours->taken >= 0 ? ours->read_from() : wanted >= 0 ? wanted : start());
    return restart(*list);
  }
  const auto [low, high] = *marks;
  const bool never_committed = gated_ && ours->taken < 0 && message.offset < 0;
  if (never_committed && from_latest_) return begin_at(*ours, high);
  // Of a topic that was made anew (our position is beyond its end) it is not known how many there were.
  const std::int64_t lost = wanted >= 0 && low > wanted ? low - wanted : 0;
  log::error("kafka: records are gone before they were read; going on at the oldest there are",
             {{"stream", stream_},
              {"topic", topic},
              {"partition", std::to_string(message.partition)},
              {"wanted", std::to_string(wanted)},
              {"oldest", std::to_string(low)},
              {"lost", lost > 0 ? std::to_string(lost) : "not known"}});
  if (telemetry_ != nullptr) telemetry_->series(Metric::kSourceLost, {stream_}).add(static_cast<double>(lost));
  begin_at_oldest(*ours, low);
}

void KafkaPositions::begin_at_oldest(KafkaPartitions::Partition& ours, std::int64_t oldest) {
  if (telemetry_ != nullptr) telemetry_->series(Metric::kSourceGaps, {stream_}).add();
  ours.taken = ours.position = ours.committed = ours.end_seen = -1;
  ours.mark.reset();
  handler_.on_start(ours.number, std::max<std::int64_t>(oldest, 0), true);
  const KafkaList list = new_kafka_list();
  partitions_.add_to(*list, ours.number, oldest);
  restart(*list);
}

// A gate's first start; not a gap.
void KafkaPositions::begin_at(KafkaPartitions::Partition& ours, std::int64_t offset) {
  ours.held = true;
  begin_.begin(ours.number, partitions_.topic_of(ours.number), KafkaPartitions::id_of(ours.number), offset);
}

void KafkaPositions::take_begun() {
  const KafkaList list = new_kafka_list();
  while (const auto begun = begin_.next()) {
    auto* ours = partitions_.find(begun->number);
    if (ours == nullptr) continue;
    if (topics_.doubtful(begun->number)) {
      begin_at(*ours, 0);  // if it was made anew, nothing of the new one may be passed over
      continue;
    }
    ours->held = false;
    partitions_.add_to(*list, begun->number, begun->offset);
  }
  if (list->cnt > 0) restart(*list);
}

// For when others are given anew: what was not read of a partition yet is read from there.
void KafkaPositions::note_starts(const rd_kafka_topic_partition_list_t& list) {
  for (int i = 0; i < list.cnt; ++i) {
    const auto number = partitions_.number_of(list.elems[i].topic, list.elems[i].partition);
    if (auto* ours = number ? partitions_.find(*number) : nullptr; ours != nullptr) ours->from = list.elems[i].offset;
  }
}

void KafkaPositions::restart(const rd_kafka_topic_partition_list_t& list) {
  note_starts(list);
  const KafkaList all = KafkaList(rd_kafka_topic_partition_list_copy(&list));
  for (const auto& p : partitions_.all()) {
    const bool listed =
        rd_kafka_topic_partition_list_find(&list, partitions_.topic_of(p.number).c_str(), KafkaPartitions::id_of(p.number)) != nullptr;
    if (!listed) partitions_.add_to(*all, p.number, p.taken >= 0 ? p.read_from() : p.from);
  }
  assignment_.restart(list, *all);
}

}  // namespace driftd::ingest
