#include "ingest/kafka_range.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>

#include "core/clock.h"
#include "core/text.h"
#include "ingest/kafka_watermarks.h"

namespace driftd::ingest {
namespace {

constexpr int kBrokerTimeoutMillis = 10'000;
constexpr std::size_t kBatch = 4096;
constexpr int kWaitMillis = 200;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

class RangeReader {
 public:
  RangeReader(const KafkaRange& range, KafkaHandle client, const std::function<Status(RawBatch&)>& sink)
      : range_(range), client_(std::move(client)), sink_(sink) {}

  Result<std::vector<KafkaSpan>> run() {
    std::vector<KafkaSpan> spans = range_.spans;
    if (spans.empty()) {
      auto partitions = partition_count();
      if (!partitions) return partitions.error();
      for (std::int32_t p = 0; p < *partitions; ++p) {
        const auto span = span_of(p);
        if (!span) return span.error();
        if (span->begin < span->end) spans.push_back(*span);
      }
    }
    for (const KafkaSpan& span : spans) {
      if (const Status status = read_span(span); !status.ok()) return status.error();
    }
    return spans;
  }

 private:
  Error failed(const std::string& what, rd_kafka_resp_err_t error) const {
    return {ErrorCode::kUnavailable, "kafka topic '" + excerpt(range_.topic) + "': " + what + ": " + rd_kafka_err2str(error)};
  }

  Result<std::int32_t> partition_count() {
    rd_kafka_topic_t* topic = rd_kafka_topic_new(client_.get(), range_.topic.c_str(), nullptr);
    if (topic == nullptr) return failed("name", rd_kafka_last_error());
    const rd_kafka_metadata_t* metadata = nullptr;
    auto error = rd_kafka_metadata(client_.get(), 0, topic, &metadata, kBrokerTimeoutMillis);
    rd_kafka_topic_destroy(topic);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed("asking for its partitions", error);
    std::int32_t count = 0;
    error = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (metadata->topic_cnt == 1) {
      error = metadata->topics[0].err;
      count = metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && count == 0) error = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed("asking for its partitions", error);
    return count;
  }

  List list_with(std::int32_t partition, std::int64_t offset) const {
    List list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), range_.topic.c_str(), partition)->offset = offset;
    return list;
  }

  // Offset of the first record with a timestamp of at least `time`; `none` when there is none.
  Result<std::int64_t> offset_at(std::int32_t partition, Time time, std::int64_t none) {
    const Time up = time + kMillisecond - 1;  // Kafka counts whole milliseconds
    const List list = list_with(partition, floor_to(up, kMillisecond) / kMillisecond);
    auto error = rd_kafka_offsets_for_times(client_.get(), list.get(), kBrokerTimeoutMillis);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = list->elems[0].err;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed("looking up a time", error);
    return list->elems[0].offset >= 0 ? list->elems[0].offset : none;
  }

  // Where the range begins and ends now.
  Result<KafkaSpan> span_of(std::int32_t partition) {
    const auto marks = kafka_watermarks(client_.get(), range_.topic, partition, kBrokerTimeoutMillis);
    if (!marks) return marks.error();
    const auto [low, high] = *marks;
    std::int64_t begin = low, end = high;
    if (range_.from != kNoTime) {
      const auto at = offset_at(partition, range_.from, high);
      if (!at) return at.error();
      begin = std::max(low, *at);
    }
    if (range_.to != kNoTime) {
      const auto at = offset_at(partition, range_.to, high);
      if (!at) return at.error();
      end = std::min(high, *at);
    }
    return KafkaSpan{static_cast<std::uint32_t>(partition), begin, end};
  }

  Status read_span(const KafkaSpan& span) {
    const auto partition = static_cast<std::int32_t>(span.partition);
    const List list = list_with(partition, span.begin);
    if (const auto e = rd_kafka_assign(client_.get(), list.get())) return failed("reading", e);
    const Status status = read_until(partition, span.end);
    rd_kafka_assign(client_.get(), nullptr);
    return status;
  }

  // The last offsets may be markers of transactions, which never come as messages: the end of the
  // partition and any message behind `end` end the reading too.
  Status read_until(std::int32_t partition, std::int64_t end) {
    std::unique_ptr<rd_kafka_queue_t, void (*)(rd_kafka_queue_t*)> queue(rd_kafka_queue_get_consumer(client_.get()),
                                                                         rd_kafka_queue_destroy);
    std::vector<rd_kafka_message_t*> got(kBatch);
    Deadline give_up = Deadline::after(range_.patience);
    for (bool at_end = false; !at_end;) {
      const ssize_t n = rd_kafka_consume_batch_queue(queue.get(), kWaitMillis, got.data(), got.size());
      auto messages = std::make_shared<KafkaMessages>(client_);
      rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
      for (ssize_t i = 0; i < n; ++i) {
        rd_kafka_message_t* message = got[static_cast<std::size_t>(i)];
        const bool wanted =
            message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->partition == partition && message->offset < end && !at_end;
        at_end =
            at_end || (message->partition == partition && message->offset >= end - 1) || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
          error = message->err;
        }
        if (wanted) {
          messages->add(message);
        } else {
          rd_kafka_message_destroy(message);
        }
      }
      if (!messages->empty()) {
        RawBatch batch;
        KafkaMessages::hand_over(std::move(messages), static_cast<std::uint32_t>(partition), batch);
        if (const Status status = sink_(batch); !status.ok()) return status;
        give_up = Deadline::after(range_.patience);
      }
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed("reading", error);
      if (!at_end && give_up.passed()) return failed("reading", RD_KAFKA_RESP_ERR__TIMED_OUT);
    }
    return {};
  }

  const KafkaRange& range_;
  KafkaHandle client_;
  const std::function<Status(RawBatch&)>& sink_;
};

}  // namespace

Result<std::vector<KafkaSpan>> read_kafka_range(const KafkaRange& range, const std::function<Status(RawBatch&)>& sink) {
  auto conf = kafka_conf(range.connection, {{"group.id", "driftd-range"},  // asked for, never joined
                                            {"enable.auto.commit", "false"},
                                            {"enable.auto.offset.store", "false"},
                                            {"enable.partition.eof", "true"},
                                            {"isolation.level", "read_committed"},
                                            {"auto.offset.reset", "error"},
                                            {"check.crcs", "true"}});
  if (!conf) return conf.error();
  auto client = kafka_consumer(std::move(conf).value(), nullptr);
  if (!client) return client.error();
  auto spans = RangeReader(range, *client, sink).run();
  rd_kafka_consumer_close(client->get());
  return spans;
}

}  // namespace driftd::ingest
