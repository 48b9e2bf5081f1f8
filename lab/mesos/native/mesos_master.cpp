// mesos-master: wires the parts of a real Mesos 1.11.0 master, in the order of Mesos' own main().
#include "launcher.hpp"

using namespace mesos::internal;
using namespace mesos::internal::master;
using mesos::master::contender::MasterContender;
using mesos::master::detector::MasterDetector;
using mesos::master::detector::StandaloneMasterDetector;
using std::string;

static mesos::allocator::Allocator* makeAllocator(const Values& values) {
  const string name = values.text("allocator");
  const bool hierarchical = name == "HierarchicalDRF" || name == "hierarchical";
  if (!hierarchical || values.text("role_sorter") != "drf" || values.text("framework_sorter") != "drf")
    FAIL << "Failed to create allocator '" << name << "': this build has the hierarchical one with drf sorters only";
  void* allocator = zeroed<void>();
  constructDrfAllocator(allocator);
  return static_cast<mesos::allocator::Allocator*>(allocator);
}

static mesos::log::Log* openLog(const Values& values, const Option<string>& zk, const Duration& timeout) {
  if (!values.has("work_dir")) FAIL << "--work_dir needed for replicated log based registry";
  const string workDir = values.text("work_dir");
  for (size_t i = 1; i <= workDir.size(); i++)
    if (i == workDir.size() || workDir[i] == '/') mkdir(workDir.substr(0, i).c_str(), 0755);
  const string path = workDir + "/replicated_log";
  const bool initialize = values.enabled("log_auto_initialize");
  const Option<string> metrics(string("registrar/"));
  auto* log = zeroed<mesos::log::Log>();
  if (!zk.isSome()) return new (log) mesos::log::Log(1, path, std::set<process::UPID>(), initialize, metrics);
  if (!values.has("quorum")) FAIL << "Need to specify --quorum for replicated log based registry when using ZooKeeper";
  const Try<zookeeper::URL> parsed = zookeeper::URL::parse(zk.get());
  if (parsed.isError()) FAIL << "Error parsing ZooKeeper URL: " << parsed.error();
  const zookeeper::URL& url = parsed.get();
  const string parent = url.path == "/" ? "" : url.path;
  return new (log) mesos::log::Log(
      atoi(values.text("quorum").c_str()), path, url.servers, timeout, parent + "/log_replicas", url.authentication,
      initialize, metrics);
}

static mesos::state::State* openRegistry(const Values& values, const Option<string>& zk, const Duration& timeout) {
  const string kind = values.text("registry");
  void* storage = zeroed<void>();
  if (kind == "in_memory")
    new (storage) mesos::state::InMemoryStorage();
  else if (kind == "replicated_log" || kind == "log_storage")
    new (storage) mesos::state::LogStorage(openLog(values, zk, timeout), 0);
  else
    FAIL << "'" << kind << "' is not a supported option for registry persistence";
  // State is a plain class with one member, all inline in Mesos' headers
  return new (zeroed<void>()) mesos::state::State{nullptr, static_cast<mesos::state::Storage*>(storage)};
}

static Option<std::shared_ptr<process::RateLimiter>> makeRemovalLimiter(const Values& values) {
  if (!values.has("agent_removal_rate_limit")) return {};
  const string text = values.text("agent_removal_rate_limit");
  const size_t slash = text.find('/');
  const int permits = atoi(text.c_str());
  const int64_t period = slash == string::npos ? -1 : parseDuration(text.substr(slash + 1));
  if (permits <= 0 || period < 0)
    FAIL << "Invalid agent_removal_rate_limit: " << text << ". Format is <Number of agents>/<Duration>";
  auto* limiter = new (zeroed<void>()) process::RateLimiter(permits, Duration{period});
  return std::shared_ptr<process::RateLimiter>(limiter, [](void*) {});
}

// without ZooKeeper the master appoints itself; its MasterInfo is found in the object by its vtable pointer
static void appoint(Master* master, size_t size, MasterDetector* detector) {
  auto* words = reinterpret_cast<char**>(master);
  size_t i = 0;
  while (i < size / sizeof(char*) && words[i] != masterInfoVtable + 16) i++;
  if (i == size / sizeof(char*)) FAIL << "internal: no MasterInfo in the Master object";
  auto* leader = zeroed<Option<mesos::MasterInfo>>();  // state 0 means SOME, and the value follows at offset 8
  new (reinterpret_cast<char*>(leader) + 8) mesos::MasterInfo(*reinterpret_cast<mesos::MasterInfo*>(words + i));
  reinterpret_cast<StandaloneMasterDetector*>(detector)->appoint(*leader);
}

int main(int argc, char** argv) {
  auto* flags = new (zeroed<void>()) master::Flags();
  const Values values = loadFlags(flags, "mesos-master", argc, argv);
  refuse(values, {"firewall_rules"});
  if (values.has("zk") && (values.has("master_contender") || values.has("master_detector")))
    FAIL << "Only one of --zk or the --master_contender/--master_detector pair should be specified.";
  if (values.has("master_contender") != values.has("master_detector"))
    FAIL << "Both --master_contender and --master_detector should be specified or omitted.";
  if (values.text("authorizers").find(',') != string::npos) FAIL << "Multiple authorizers not supported";

  const string realm = "mesos-master-readonly";
  startLibprocess(values, "master", "mesos-master-readwrite", realm.c_str());
  loadModules(values);
  auto* allocator = makeAllocator(values);

  const Option<string> zk = urlOrFile(values, "zk");
  const Duration timeout{parseDuration(values.text("zk_session_timeout"))};
  auto* registry = openRegistry(values, zk, timeout);
  auto* registrar = new (zeroed<void>()) Registrar(*flags, registry, realm);
  auto* contender = required(
      MasterContender::create(zk, values.option("master_contender"), timeout), "Failed to create a master contender");
  auto* detector = required(
      MasterDetector::create(zk, values.option("master_detector"), timeout), "Failed to create a master detector");
  const Option<mesos::Authorizer*> authorizer = makeAuthorizer(values, values.text("authorizers"));
  auto* files = new (zeroed<void>()) Files(realm, authorizer);

  const size_t size = 1 << 20;
  auto* master = new (zeroed<void>(size))
      Master(allocator, registrar, files, contender, detector, authorizer, makeRemovalLimiter(values), *flags);
  if (!zk.isSome() && !values.has("master_detector")) appoint(master, size, detector);
  serve(master);
}
