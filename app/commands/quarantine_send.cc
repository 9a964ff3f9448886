#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "alerts/http_client.h"
#include "app/commands/quarantine.h"
#include "core/text.h"
#include "ingest/kafka_client.h"

namespace driftd::app {
namespace {

constexpr std::size_t kMaxBody = 1U << 20;
constexpr std::size_t kMaxRecords = 1000;
constexpr int kTries = 10;
constexpr Duration kPatience = 30 * kSecond;
constexpr int kFlushMillis = 30000;

Status post(const std::string& url, const std::string& body) {
  for (int tries = 1;; ++tries) {
    const auto answer = alerts::http_post({url, {{"Content-Type", "application/json"}}, body, ""}, Deadline::after(kPatience));
    if (!answer) return answer.error().at(url);
    if (answer->status == 200) return {};
    const bool later = answer->status == 429 || answer->status == 503;
    if (!later || tries == kTries) {
      return Error{later ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
                   url + ": " + std::to_string(answer->status) + ": " + excerpt(answer->body, 300)};
    }
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::clamp<Duration>(answer->retry_after, kSecond, kPatience)));
  }
}

// Counts what the brokers have said of the records.
struct Reports {
  std::size_t delivered = 0;
  std::string failure;
};

void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto& reports = *static_cast<Reports*>(opaque);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++reports.delivered;
  } else {
    reports.failure = rd_kafka_err2str(message->err);
  }
}

}  // namespace

Status send_to_driftd(const std::string& url, const StreamConfig& stream, const std::vector<ingest::QuarantinedRecord>& records,
                      std::size_t& sent) {
  sent = 0;
  if (const Status s = alerts::check_url(url); !s) return s.error().at("--to");
  if (stream.decoder != "json") {
    return Error{ErrorCode::kInvalidArgument,
                 "--to: the HTTP interface takes JSON records, and stream " + stream.name + " is decoded as " + stream.decoder};
  }
  const std::string target = url.substr(0, url.find_last_not_of('/') + 1) + "/api/v1/streams/" + stream.name + "/records";
  for (std::size_t at = 0; at < records.size();) {
    std::string body;
    std::size_t end = at;
    while (end < records.size() && end - at < kMaxRecords && (end == at || body.size() + records[end].payload.size() < kMaxBody)) {
      body += (body.empty() ? "[" : ",") + records[end++].payload;
    }
    if (const Status s = post(target, body + "]"); !s) return s;
    sent += end - at;
    at = end;
  }
  return {};
}

Status send_to_kafka(const std::string& topic, const StreamConfig& stream, const std::vector<ingest::QuarantinedRecord>& records,
                     std::size_t& sent) {
  sent = 0;
  if (stream.source != "kafka") {
    return Error{ErrorCode::kInvalidArgument,
                 "--to kafka: writes with the stream's brokers, but stream " + stream.name + " reads from " + stream.source};
  }
  auto conf =
      ingest::kafka_conf(ingest::kafka_connection(stream.source_params), {{"client.id", "driftd-replay"}, {"enable.idempotence", "true"}});
  if (!conf) return conf.error();
  Reports reports;
  rd_kafka_conf_set_dr_msg_cb(conf->get(), on_report);
  const auto made = ingest::kafka_producer(std::move(*conf), &reports);
  if (!made) return made.error();
  rd_kafka_t* producer = made->get();
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (std::size_t i = 0; i < records.size() && reports.failure.empty();) {
    const ingest::QuarantinedRecord& r = records[i];
    error = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_KEY(r.key.empty() ? nullptr : r.key.data(), r.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(r.payload.data()), r.payload.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) ++i;
    rd_kafka_poll(producer, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 50 : 0);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__QUEUE_FULL) break;
  }
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__QUEUE_FULL) error = rd_kafka_flush(producer, kFlushMillis);
  sent = reports.delivered;
  if (sent == records.size()) return {};
  const std::string cause = !reports.failure.empty() ? reports.failure : rd_kafka_err2str(error);
  return Error{ErrorCode::kUnavailable, "kafka: topic " + excerpt(topic) + ": " + cause};
}

}  // namespace driftd::app
