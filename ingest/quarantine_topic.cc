#include "ingest/quarantine_topic.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>

#include "core/log.h"
#include "core/text.h"
#include "ingest/kafka_partitions.h"

namespace driftd::ingest {
namespace {

constexpr std::size_t kDetailBytes = 256;

std::string position_of(std::uint32_t partition, const RawRecord& record) {
  std::string out(record.topic);
  if (!out.empty()) out += '/';
  out += std::to_string(KafkaPartitions::id_of(partition));
  return out + '/' + std::to_string(record.position);
}

}  // namespace

// librdkafka's callback; only poll() calls it.
struct QuarantineTopicReports {
  static void report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    static_cast<QuarantineTopic*>(opaque)->answered(message->err);
  }
};

Result<std::unique_ptr<QuarantineTopic>> QuarantineTopic::make(QuarantineTopicOptions options) {
  std::unique_ptr<QuarantineTopic> made(new QuarantineTopic(std::move(options)));
  auto conf =
      kafka_conf(made->options_.connection, {{"acks", "all"},
                                             {"linger.ms", "50"},
                                             {"queue.buffering.max.messages", "10000000"},  // the bytes bound it
                                             {"queue.buffering.max.kbytes", std::to_string((made->options_.buffer + 1023) / 1024)}});
  if (!conf) return conf.error();
  rd_kafka_conf_set_dr_msg_cb(conf->get(), &QuarantineTopicReports::report);
  auto producer = kafka_producer(std::move(*conf), made.get());
  if (!producer) return producer.error();
  made->producer_ = std::move(*producer);
  return made;
}

QuarantineTopic::~QuarantineTopic() {
  if (producer_ == nullptr) return;
  rd_kafka_flush(producer_.get(), kPartingMillis);
  const int left = rd_kafka_outq_len(producer_.get());
  if (left != 0) {
    log::warning("rejected records did not reach their topic in time",
                 {{"stream", options_.stream}, {"topic", excerpt(options_.topic)}, {"records", std::to_string(left)}});
    rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }
  producer_.reset();  // before what its callback writes to
}

void QuarantineTopic::add(std::uint32_t partition, const RawRecord& record, RejectReason reason, std::string_view detail) {
  GateMark why;
  why.rejected = true;
  why.reason = to_string(reason);
  why.detail = excerpt(detail, kDetailBytes);
  add(partition, record, why);
}

void QuarantineTopic::add(std::uint32_t partition, const RawRecord& record, const GateMark& why) {
  int error = produce(partition, record, why, nullptr);
  if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    RawRecord stub = record;
    stub.payload = {};
    error = produce(partition, stub, why, "MSG_SIZE_TOO_LARGE");
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) answered(error);
  poll();
}

int QuarantineTopic::produce(std::uint32_t partition, const RawRecord& record, const GateMark& why, const char* refused) {
  const std::string position = position_of(partition, record);
  rd_kafka_headers_t* headers = rd_kafka_headers_new(9);
  const auto add = [headers](const char* name, std::string_view value) {
    if (!value.empty()) rd_kafka_header_add(headers, name, -1, value.data(), static_cast<ssize_t>(value.size()));
  };
  add("driftd-verdict", why.rejected ? "reject" : "invalid");
  add("driftd-stream", options_.stream);
  add("driftd-position", position);
  add("driftd-check", why.check);
  add("driftd-field", why.field);
  add("driftd-reason", why.reason);
  add("driftd-detail", why.detail);
  add("driftd-checks", why.checks);
  if (refused != nullptr) add("driftd-refused", refused);
  const auto bytes = [](std::string_view s) { return s.empty() ? nullptr : const_cast<char*>(s.data()); };
  const rd_kafka_resp_err_t error =
      rd_kafka_producev(producer_.get(), RD_KAFKA_V_TOPIC(options_.topic.c_str()), RD_KAFKA_V_KEY(bytes(record.key), record.key.size()),
                        RD_KAFKA_V_VALUE(bytes(record.payload), record.payload.size()), RD_KAFKA_V_HEADERS(headers),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);  // else the message's
  return error;
}

void QuarantineTopic::poll() { rd_kafka_poll(producer_.get(), 0); }

void QuarantineTopic::flush(Deadline deadline) {
  const auto millis = static_cast<int>(deadline.left() / kMillisecond);
  rd_kafka_flush(producer_.get(), behind_ ? std::min(millis, kBehindMillis) : millis);
  behind_ = rd_kafka_outq_len(producer_.get()) != 0;
}

void QuarantineTopic::answered(int error) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++sent_;
    trouble_.clear();
    return;
  }
  ++dropped_;
  trouble_ = "kafka: topic " + excerpt(options_.topic) + ": " + rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(error));
}

}  // namespace driftd::ingest
