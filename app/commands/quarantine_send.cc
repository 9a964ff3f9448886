#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <numeric>
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

// What the brokers have said of a batch; the opaque of a message is its place.
struct Reports {
  std::vector<std::size_t> delivered;
  std::string failure;
};

void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto& reports = *static_cast<Reports*>(opaque);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    reports.delivered.push_back(reinterpret_cast<std::size_t>(message->_private));
  } else {
    reports.failure = rd_kafka_err2str(message->err);
  }
}

// Why not all of the records from `at` to `end` have arrived; empty: they have.
std::string send_batch(rd_kafka_t* producer, const std::string& topic, const std::vector<ingest::QuarantinedRecord>& records,
                       std::size_t at, std::size_t end, Reports& reports) {
  const std::size_t size = end - at;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  while (at < end && reports.failure.empty()) {
    const ingest::QuarantinedRecord& r = records[at];
    error =
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_KEY(r.key.empty() ? nullptr : r.key.data(), r.key.size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(r.payload.data()), r.payload.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(at)), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) ++at;
    rd_kafka_poll(producer, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 50 : 0);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__QUEUE_FULL) break;
  }
  const rd_kafka_resp_err_t flushed = rd_kafka_flush(producer, kFlushMillis);
  if (reports.delivered.size() == size) return {};
  if (!reports.failure.empty()) return reports.failure;
  return rd_kafka_err2str(error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : flushed);
}

// The places from `at` to `end`.
std::vector<std::size_t> places(std::size_t at, std::size_t end) {
  std::vector<std::size_t> out(end - at);
  std::iota(out.begin(), out.end(), at);
  return out;
}

}  // namespace

Status send_to_driftd(const std::string& url, const StreamConfig& stream, const std::vector<ingest::QuarantinedRecord>& records,
                      const OnSent& on_sent) {
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
    if (const Status s = on_sent(places(at, end)); !s) return s;
    at = end;
  }
  return {};
}

Status send_to_kafka(const std::string& topic, const StreamConfig& stream, const std::vector<ingest::QuarantinedRecord>& records,
                     const OnSent& on_sent) {
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
  for (std::size_t at = 0; at < records.size(); at += kMaxRecords) {
    reports = {};
    const std::string cause = send_batch(made->get(), topic, records, at, std::min(at + kMaxRecords, records.size()), reports);
    if (const Status s = on_sent(reports.delivered); !s) return s;
    if (!cause.empty()) return Error{ErrorCode::kUnavailable, "kafka: topic " + excerpt(topic) + ": " + cause};
  }
  return {};
}

}  // namespace driftd::app
