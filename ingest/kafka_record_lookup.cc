#include "ingest/kafka_record_lookup.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>

#include "ingest/kafka_record_mark.h"
#include "ingest/kafka_watermarks.h"

namespace driftd::ingest {
namespace {

constexpr int kWaitMillis = 100;

}  // namespace

bool KafkaRecordLookup::open() {
  if (client_) return true;
  auto conf = kafka_conf(connection_, {{"group.id", "driftd-mark"},  // asked for, never joined
                                       {"enable.auto.commit", "false"},
                                       {"enable.auto.offset.store", "false"},
                                       {"enable.partition.eof", "true"},
                                       {"isolation.level", "read_committed"},
                                       {"auto.offset.reset", "error"}});
  // One record of each is wanted, at once, whatever the options of the connection say.
  std::array<char, 512> why{};
  for (const auto& [name, value] : TextPairs{{"fetch.min.bytes", "1"},
                                             {"fetch.wait.max.ms", "100"},
                                             {"max.partition.fetch.bytes", "16384"},
                                             {"queued.min.messages", "1"},
                                             {"queued.max.messages.kbytes", "1024"}}) {
    if (conf && rd_kafka_conf_set(conf->get(), name.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
      conf = Error{ErrorCode::kInvalidArgument, why.data()};
    }
  }
  auto client = conf ? kafka_consumer(std::move(conf).value(), nullptr) : Result<KafkaHandle>(conf.error());
  if (!client) {
    why_ = client.error().message;
    return false;
  }
  client_ = std::move(*client);
  queues_ = std::make_unique<KafkaFetchQueues>(client_, rd_kafka_message_destroy);  // a topic may go while it is read
  return true;
}

KafkaRecordLookup::~KafkaRecordLookup() {
  if (client_) rd_kafka_consumer_close(client_.get());
}

void KafkaRecordLookup::assign() {
  const KafkaList list = new_kafka_list();
  for (const auto& [where, place] : places_) {
    if (place.found) continue;
    queues_->keep(place.number, where.first.c_str(), where.second);
    add_offset(*list, where.first, where.second, place.mark.position);
  }
  rd_kafka_assign(client_.get(), list.get());
  rd_kafka_resume_partitions(client_.get(), list.get());  // those that were read before
  assigned_ = true;
}

bool KafkaRecordLookup::all_found() const {
  return std::all_of(places_.begin(), places_.end(), [](const auto& one) { return one.second.found.has_value(); });
}

void KafkaRecordLookup::take(const rd_kafka_message_t& message) {
  const auto at = message.rkt == nullptr ? places_.end() : places_.find({rd_kafka_topic_name(message.rkt), message.partition});
  if (at == places_.end()) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) why_ = rd_kafka_message_errstr(&message);
    return;
  }
  Place& place = at->second;
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      place.found = message.offset > place.mark.position   ? RecordFound::kSkipped
                    : kafka_mark_of(message) == place.mark ? RecordFound::kThere
                                                           : RecordFound::kOther;
      break;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (message.offset > place.mark.position) {
        place.found = RecordFound::kSkipped;
        break;
      }
      [[fallthrough]];  // also of a leader that is new, and does not know yet how far its partition goes
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      place.out_of_range = true;
      break;
    default:
      why_ = rd_kafka_message_errstr(&message);
      assigned_ = false;  // begun anew by the next call
      return;
  }
  const KafkaList done = new_kafka_list();
  rd_kafka_topic_partition_list_add(done.get(), at->first.first.c_str(), at->first.second);
  rd_kafka_pause_partitions(client_.get(), done.get());
}

// Of those where there is nothing to read.
void KafkaRecordLookup::look_where_they_end(const Deadline& deadline) {
  for (auto& [where, place] : places_) {
    if (!place.out_of_range || place.found || deadline.passed()) continue;
    const auto marks = kafka_watermarks(client_.get(), where.first, where.second, static_cast<int>(deadline.left() / kMillisecond) + 1);
    if (!marks) {
      why_ = marks.error().message;
    } else if (place.mark.position < marks->low) {
      place.found = RecordFound::kRemoved;
    } else if (place.mark.position >= marks->end) {
      place.found = RecordFound::kOther;
    } else {
      place.out_of_range = false;  // it has come meanwhile
      assign();
    }
  }
}

std::vector<std::optional<RecordFound>> KafkaRecordLookup::find(const std::vector<MarkedRecord>& records, int patience_millis) {
  const Deadline deadline = Deadline::after(patience_millis * kMillisecond);
  why_.clear();
  Places wanted;
  for (const MarkedRecord& record : records) {
    const std::pair where(record.topic, record.partition);
    const auto known = places_.find(where);
    // What was told is not remembered: the topic may have been made anew since.
    const bool kept = known != places_.end() && known->second.mark == record.mark && !known->second.found;
    assigned_ = assigned_ && kept;
    Place& place = wanted[where];
    if (kept) {
      place = known->second;
      continue;
    }
    place.mark = record.mark;
    place.number = known != places_.end() ? known->second.number : next_number_++;
    if (record.mark.position < 0) place.found = RecordFound::kRemoved;  // to the client it would be a word
  }
  places_ = std::move(wanted);
  if (open()) {
    if (!assigned_) assign();
    while (!all_found() && !deadline.passed()) {
      if (rd_kafka_message_t* message = rd_kafka_consumer_poll(client_.get(), kWaitMillis); message != nullptr) {
        take(*message);
        rd_kafka_message_destroy(message);
      }
      look_where_they_end(deadline);
    }
  }
  std::vector<std::optional<RecordFound>> out;
  out.reserve(records.size());
  for (const MarkedRecord& record : records) out.push_back(places_.at({record.topic, record.partition}).found);
  return out;
}

}  // namespace driftd::ingest
