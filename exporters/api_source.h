// ApiSource: what the HTTP API asks of the running service. app/ implements it; the API turns the
// answers into JSON and the errors into problem documents.
//
// Every method is called from several server threads at the same time and must be thread-safe. None
// may block for long: a page is refreshed by many.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/alert.h"
#include "core/registry.h"
#include "core/result.h"
#include "exporters/findings_ring.h"

namespace driftd::exporters {

struct Readiness {
  bool ready = false;
  std::vector<std::string> reasons;  // what is missing, for people; empty when ready
};

struct StreamView {
  std::string name;
  std::string source;  // "kafka", "mqtt", ...
  bool source_up = false;
  std::string source_detail;        // for people, when not up; no secrets
  std::optional<std::int64_t> lag;  // records, all partitions; nullopt: not known
  std::vector<std::string> fields;
  std::string window;     // "5m"
  std::string reference;  // "pumps@3"; empty: none
  std::string config_hash;
  Time watermark = kNoTime;
  std::uint64_t accepted = 0;  // records
  std::uint64_t rejected = 0;
  std::uint64_t late = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t sensors = 0;
};

struct ReferenceView {
  std::string name;
  std::uint32_t version = 0;
  std::string hash;
  std::vector<std::string> tags;
  std::vector<std::string> aliases;
  Time created_at = kNoTime;
  std::uint64_t rows = 0;
};

struct UnitView {
  std::string kind;  // "check", "distance", "source", ...
  Descriptor descriptor;
};

struct Submission {
  enum class Result {
    kAccepted,       // journaled: 200
    kUnknownStream,  // 404: no such stream, or it takes no records by HTTP
    kBadRequest,     // 400: the body is not what content_type says; nothing was taken
    kTooLarge,       // 413: more records or bytes than a body may have
    kUnsupported,    // 415: content_type is none that streams take
    kFull,           // 429 with Retry-After
    kUnavailable,    // 503 with Retry-After: starting, stopping, journal not writable
  };
  Result result = Result::kAccepted;
  std::uint64_t accepted = 0;  // records in the journal
  Duration retry_after = kSecond;
  std::string message;  // for people, when not accepted
};

struct Promotion {
  std::string name;
  std::string version;               // a version number, tag or alias
  std::string alias = "production";  // what is to name it from then on
  std::optional<Time> at;            // event time; nullopt: the next window boundary
};

class ApiSource {
 public:
  virtual ~ApiSource() = default;

  // Brings those metrics up to date that change while nothing happens; comes before each scrape.
  virtual void measure() = 0;
  virtual Readiness ready() const = 0;
  virtual std::vector<StreamView> streams() const = 0;
  virtual Result<FindingsPage> findings(const FindingsQuery& query) const = 0;
  virtual std::vector<Alert> alerts() const = 0;  // pending and firing
  virtual Result<std::vector<ReferenceView>> references() const = 0;
  // One version as a JSON object (as `driftd reference show` has it); `selector` is a version
  // number, tag or alias. kNotFound when there is none.
  virtual Result<std::string> reference_json(const std::string& name, const std::string& selector) const = 0;
  virtual std::vector<UnitView> units() const = 0;
  // The body may hold many records; all of them are taken or none.
  virtual Submission submit(const std::string& stream, const std::string& body, const std::string& content_type) = 0;
  // Reads the configuration again; on an error the old one goes on.
  virtual Status reload() = 0;
  // Returns the version that the alias names from then on.
  virtual Result<std::uint32_t> promote(const Promotion& promotion) = 0;
};

}  // namespace driftd::exporters
