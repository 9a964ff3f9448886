#include "ingest/kafka_ends.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/clock.h"
#include "core/text.h"
#include "ingest/kafka_watermarks.h"

namespace driftd::ingest {
namespace {

constexpr int kPatienceMillis = 1000;
constexpr int kLongestFetchMillis = 10000;
constexpr Duration kLookEvery = 5 * kSecond;
constexpr Duration kBrokerAwayFor = 20 * kSecond;

int number_option(rd_kafka_t* client, const char* name) {
  std::array<char, 32> text{};
  std::size_t size = text.size();
  if (rd_kafka_conf_get(rd_kafka_conf(client), name, text.data(), &size) != RD_KAFKA_CONF_OK) return 0;
  return static_cast<int>(parse_integer(text.data()).value_or(0));
}

}  // namespace

KafkaEnds::KafkaEnds(KafkaHandle client, KafkaPartitions& partitions)
    : client_(std::move(client)),
      partitions_(partitions),
      patience_millis_(kPatienceMillis + std::min(number_option(client_.get(), "fetch.wait.max.ms"), kLongestFetchMillis)) {}

std::optional<std::set<std::uint32_t>> KafkaEnds::at_end(const std::set<std::uint32_t>& partitions, const std::set<std::uint32_t>& before) {
  const KafkaList list = new_kafka_list();
  std::set<std::uint32_t> out;
  for (const std::uint32_t number : partitions) {
    auto* ours = partitions_.find(number);
    if (ours == nullptr || ours->mark) continue;
    const bool more = ours->known_end >= 0 && ours->lag(ours->known_end).value_or(0) > 0;  // that need not be asked
    const std::int64_t asked = std::exchange(ours->asked_end, more ? ours->known_end : -1);
    if (before.count(number) != 0 && asked >= 0 && ours->lag(asked) == 0) {
      out.insert(number);
      ours->asked_end = -1;  // that it was here says nothing of what comes later
    } else if (!more) {
      partitions_.add_to(*list, number);
    }
  }
  // One question for all, as each may take a second. One without a leader fails it for all, so that it has time to speak once it has one.
  if (!kafka_ends(client_.get(), *list, patience_millis_)) return std::nullopt;
  for (int i = 0; i < list->cnt; ++i) {
    auto* ours = partitions_.find(*partitions_.number_of(list->elems[i].topic, list->elems[i].partition));
    ours->asked_end = list->elems[i].offset;
    if (ours->lag(ours->asked_end) != 0) continue;
    out.insert(ours->number);
    ours->asked_end = -1;
  }
  return out;
}

void KafkaEnds::told(KafkaPartitions::Partition& partition, std::int64_t end, bool fetched) {
  partition.known_end = fetched ? end : std::max(partition.known_end, end);
}

void KafkaEnds::look(bool paused) {
  const Duration now = monotonic_now();
  if (now < look_at_) return;
  const KafkaList list = new_kafka_list();
  for (const auto& p : partitions_.all()) {
    if (paused || p.held_back) partitions_.add_to(*list, p.number);
  }
  if (list->cnt == 0) return;
  const bool answered = kafka_ends_where_led(client_.get(), *list, patience_millis_).ok();
  look_at_ = monotonic_now() + (answered ? kLookEvery : kBrokerAwayFor);
  for (int i = 0; answered && i < list->cnt; ++i) {
    told(*partitions_.find(*partitions_.number_of(list->elems[i].topic, list->elems[i].partition)), list->elems[i].offset, false);
  }
}

}  // namespace driftd::ingest
