#include "ingest/kafka_transaction.h"

#include <librdkafka/rdkafka.h>

#include <array>

#include "core/text.h"

namespace driftd::ingest {
namespace {

constexpr int kCallMillis = 2000;
constexpr int kRoomMillis = 20;

// Errors of one message that come again however often it is sent.
bool refused_for_good(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return true;
    default:
      return false;
  }
}

// transaction.timeout.ms bounds how long a dead process holds up readers of committed records.
// socket.timeout.ms bounds how long add_positions() lasts when a broker takes the request and does not
// answer. A record larger than batch.size is alone in its batch, so that one too large is known at once.
const TextPairs& options() {
  static const TextPairs all = {
      {"transaction.timeout.ms", "30000"}, {"socket.timeout.ms", "10000"}, {"linger.ms", "5"}, {"batch.size", "131072"},
      {"message.max.bytes", "1000000000"},  // the broker's limit decides
  };
  return all;
}

}  // namespace

struct KafkaTransaction::Membership {
  explicit Membership(rd_kafka_consumer_group_metadata_t* m) : metadata(m) {}
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership() { rd_kafka_consumer_group_metadata_destroy(metadata); }
  rd_kafka_consumer_group_metadata_t* metadata;
};

KafkaTransaction::Outcome KafkaTransaction::open(const std::vector<std::string>& topics) {
  if (!producer_) {
    auto conf = kafka_conf(connection_, options());
    // Set last: no option of the connection may change these.
    std::array<char, 512> why{};
    if (conf && (rd_kafka_conf_set(conf->get(), "transactional.id", id_.c_str(), why.data(), why.size()) ||
                 rd_kafka_conf_set(conf->get(), "delivery.report.only.error", "true", why.data(), why.size()))) {
      conf = Error{ErrorCode::kInvalidArgument, std::string("kafka: ") + why.data()};
    }
    if (!conf) {
      why_ = conf.error().message;
      return Outcome::kBroken;
    }
    rd_kafka_conf_set_dr_msg_cb(conf->get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
      if (refused_for_good(message->err)) {
        static_cast<KafkaTransaction*>(self)->hooks_.on_refused(message->_private, rd_kafka_err2name(message->err));
      }
    });
    rd_kafka_conf_set_error_cb(conf->get(), [](rd_kafka_t*, int error, const char* text, void* self) {
      static_cast<KafkaTransaction*>(self)->noted_ =
          std::string(rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(error))) + ": " + excerpt(text, 200);
    });
    auto made = kafka_producer(std::move(*conf), this);
    if (!made) {
      why_ = made.error().message;
      return Outcome::kBroken;
    }
    producer_ = std::move(*made);
    for (const std::string& topic : topics) {
      rd_kafka_topic_conf_t* of_topic = rd_kafka_default_topic_conf_dup(producer_.get());
      rd_kafka_topic_conf_set_opaque(of_topic, this);
      rd_kafka_topic_conf_set_partitioner_cb(
          of_topic, [](const rd_kafka_topic_t*, const void*, std::size_t, std::int32_t count, void* self, void* opaque) {
            return static_cast<KafkaTransaction*>(self)->hooks_.partition_of(opaque, count);
          });
      rd_kafka_topic_destroy(rd_kafka_topic_new(producer_.get(), topic.c_str(), of_topic));
    }
  }
  if (ready_) return Outcome::kDone;
  const Outcome outcome = judge("starting", rd_kafka_init_transactions(producer_.get(), kCallMillis));
  rd_kafka_poll(producer_.get(), 0);
  ready_ = outcome == Outcome::kDone;
  return outcome;
}

void KafkaTransaction::close() {
  if (!producer_) return;
  rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll(producer_.get(), 0);
  producer_.reset();
  ready_ = false;
}

KafkaTransaction::Outcome KafkaTransaction::begin() {
  rd_kafka_poll(producer_.get(), 0);
  return judge("beginning", rd_kafka_begin_transaction(producer_.get()));
}

KafkaTransaction::Outcome KafkaTransaction::send(const Message& m) {
  std::array<rd_kafka_vu_t, 7> parts{};
  std::size_t n = 0;
  const auto part = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    parts[n].vtype = type;
    return parts[n++];
  };
  part(RD_KAFKA_VTYPE_TOPIC).u.cstr = m.topic->c_str();
  auto& value = part(RD_KAFKA_VTYPE_VALUE).u.mem;
  value.ptr = const_cast<void*>(m.payload);  // not copied and not written to
  value.size = m.size;
  auto& key = part(RD_KAFKA_VTYPE_KEY).u.mem;
  key.ptr = const_cast<void*>(m.key);
  key.size = m.key_size;
  part(RD_KAFKA_VTYPE_MSGFLAGS).u.i = 0;  // neither copied nor freed
  part(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = m.millis;
  part(RD_KAFKA_VTYPE_HEADERS).u.headers = m.headers;
  part(RD_KAFKA_VTYPE_OPAQUE).u.ptr = m.opaque;
  rd_kafka_error_t* error = rd_kafka_produceva(producer_.get(), parts.data(), n);
  if (error == nullptr) return Outcome::kDone;
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    rd_kafka_error_destroy(error);
    rd_kafka_poll(producer_.get(), kRoomMillis);
    return Outcome::kAgain;
  }
  // What the client refuses by itself does no harm to the transaction, but is handled like what the
  // broker refuses.
  if (refused_for_good(code)) hooks_.on_refused(m.opaque, rd_kafka_err2name(code));
  why_ = std::string("sending: ") + rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return Outcome::kAbort;
}

KafkaTransaction::Outcome KafkaTransaction::flush() { return judge("sending", rd_kafka_flush(producer_.get(), kCallMillis)); }

std::shared_ptr<KafkaTransaction::Membership> KafkaTransaction::membership_of(rd_kafka_s* consumer) {
  rd_kafka_consumer_group_metadata_t* metadata = rd_kafka_consumer_group_metadata(consumer);
  return metadata == nullptr ? nullptr : std::make_shared<Membership>(metadata);
}

KafkaTransaction::Outcome KafkaTransaction::add_positions(const std::vector<Offset>& offsets, Membership& membership) {
  const KafkaList list = new_kafka_list();
  for (const Offset& o : offsets) add_offset(*list, o.topic, o.partition, o.position, o.metadata);
  return judge("adding positions", rd_kafka_send_offsets_to_transaction(producer_.get(), list.get(), membership.metadata, kCallMillis));
}

KafkaTransaction::Outcome KafkaTransaction::commit() {
  return judge("committing", rd_kafka_commit_transaction(producer_.get(), kCallMillis));
}

KafkaTransaction::Outcome KafkaTransaction::abort() {
  const Outcome outcome = judge("aborting", rd_kafka_abort_transaction(producer_.get(), kCallMillis));
  return outcome == Outcome::kAbort ? Outcome::kBroken : outcome;
}

KafkaTransaction::Outcome KafkaTransaction::judge(const char* step, rd_kafka_error_t* error) {
  if (error == nullptr) return Outcome::kDone;
  why_ = std::string(step) + ": " + rd_kafka_error_name(error) + ": " + excerpt(rd_kafka_error_string(error), 200);
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  if (code == RD_KAFKA_RESP_ERR__TIMED_OUT && !noted_.empty()) why_ += " (" + noted_ + ")";
  if (code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED || code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH) {
    why_ += "; unless the transaction took too long, another process has the transactional.id '" + id_ + "' too: give each replica its own";
  }
  const Outcome outcome = rd_kafka_error_is_fatal(error)             ? Outcome::kBroken
                          : rd_kafka_error_txn_requires_abort(error) ? Outcome::kAbort
                          : rd_kafka_error_is_retriable(error)       ? Outcome::kAgain
                                                                     : Outcome::kBroken;
  rd_kafka_error_destroy(error);
  return outcome;
}

KafkaTransaction::Outcome KafkaTransaction::judge(const char* step, int error) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Outcome::kDone;
  why_ = std::string(step) + ": " + rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(error));
  return Outcome::kAgain;
}

}  // namespace driftd::ingest
