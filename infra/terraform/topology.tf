# What runs, and who may do what, as data. The topology is declared once, for the code, the local stack and this.
locals {
  topology = jsondecode(file("${path.module}/../topology.json"))

  # Each subscription with the settings of its policy.
  subscriptions = {
    for name, subscription in local.topology.subscriptions :
    name => merge({ service = null, deadLetter = null, pushDeadlineSeconds = null }, local.topology.policies[subscription.policy], subscription)
  }
  dead_letter_topics = toset([for subscription in local.subscriptions : subscription.deadLetter.topic if subscription.deadLetter != null])

  # One entry is all that a further service needs. What it publishes are the topics that its ledgers call for; a step
  # also announces its refusals, and hands what it can't read to the desk.
  services = {
    frontend = {
      publishes = ["frontend", "error"]
      settings  = { SAGA_DEADLINE_SECONDS = tostring(var.deadline_seconds) }
      secrets   = {}
      # An event stream stays open for as long as its reader likes.
      timeout_seconds = 3600
    }
    order = {
      publishes       = ["order-created", "error", "dead-letter"]
      settings        = { SAGA_DEADLINE_SECONDS = tostring(var.deadline_seconds) }
      secrets         = {}
      timeout_seconds = 60
    }
    inventory = {
      publishes       = ["inventory-updated", "error", "dead-letter"]
      settings        = {}
      secrets         = { OPERATOR_TOKEN = "operator-token" }
      timeout_seconds = 60
    }
    payments = {
      publishes       = ["payment-created", "error", "dead-letter"]
      settings        = {}
      secrets         = {}
      timeout_seconds = 60
    }
    janitor = {
      # It sends back what stands still, and dead letters, wherever they belong.
      publishes = keys(local.topology.topics)
      # Cloud Scheduler asks for each sweep. Its token stands where an operator's would: so Cloud Run's IAM is who checks.
      settings        = { OPERATOR_AUTH = "platform", SWEEP_INTERVAL_SECONDS = "0" }
      secrets         = {}
      timeout_seconds = 300
    }
  }

  # The services that read messages.
  readers = toset([for subscription in local.subscriptions : subscription.service if subscription.service != null])

  # Known before the services exist, so that a service can be told its own.
  urls = {
    for service in keys(local.services) :
    service => "https://${service}-${data.google_project.project.number}.${var.region}.run.app"
  }

  # What every program of the image needs.
  common_environment = {
    BACKEND            = "gcp"
    FIRESTORE_DATABASE = var.firestore_database
    LOG_LEVEL          = var.log_level
    PROJECT_ID         = var.project
  }
  # What every service needs besides. Cloud Monitoring takes no metric that does not say where it is from.
  telemetry_environment = merge(
    { TELEMETRY = var.telemetry },
    var.telemetry == "google" ? { OTEL_RESOURCE_ATTRIBUTES = "cloud.platform=gcp_cloud_run,cloud.region=${var.region}" } : {},
  )
  environments = {
    for service, own in local.services : service => merge(local.common_environment, local.telemetry_environment, own.settings)
  }

  # Cloud Run's IAM checks who pushes, and takes the signature off the token: a service could not check it again. Where
  # messages are pulled, a service still answers HTTP, and nobody may push to it.
  pushed_environment = { PUSH_AUTH = "platform", SUBSCRIBER = "push" }

  # What runs when it is asked to. data-init loads users and stock; the doctor proves that stock, money and records are
  # right, and mends them as the janitor would, with the janitor's rights.
  jobs = {
    data-init = { script = "dist/programs/data-init.js", identity = "data-init" }
    doctor    = { script = "dist/programs/doctor.js", identity = "janitor" }
  }
}
