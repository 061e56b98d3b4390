# What runs, and who may do what, as data. npm run generate writes the topology from the saga: a further service has its
# topics, subscriptions, rights and settings from there.
locals {
  topology = jsondecode(file("${path.module}/../topology.json"))

  # Each subscription with the settings of its policy.
  subscriptions = {
    for name, subscription in local.topology.subscriptions :
    name => merge({ service = null, deadLetter = null, pushDeadlineSeconds = null }, local.topology.policies[subscription.policy], subscription)
  }
  dead_letter_topics = toset([for subscription in local.subscriptions : subscription.deadLetter.topic if subscription.deadLetter != null])

  # What does not follow from the saga, by service. All else is the same for each of them.
  by_hand = {
    frontend = { settings = local.site_environment }
    janitor = {
      # Cloud Scheduler asks for each sweep.
      settings = { SWEEP_INTERVAL_SECONDS = "0" }
      # An audit, or a sweep after an outage, takes longer than a push.
      timeout_seconds = 300
    }
  }
  services = {
    for name, service in local.topology.services : name => {
      publishes = service.publishes
      settings = merge(
        # Cloud Run's IAM knows who calls, so operators need no secret besides. Not the frontend, whose check can be turned
        # off: there, operators' routes stay closed.
        service.hasOperatorRoutes && name != "frontend" ? { OPERATOR_AUTH = "platform" } : {},
        try(local.by_hand[name].settings, {}),
        lookup(var.settings, name, {}),
      )
      timeout_seconds = try(local.by_hand[name].timeout_seconds, 60)
      secrets = {
        for variable, own in local.secret_settings : variable => own.secret
        if contains(service.settings, variable) && can(var.settings[name][own.goes_with])
      }
      # Who may call it, besides Pub/Sub and Cloud Scheduler.
      callers = setunion(name == "janitor" ? var.operators : [], lookup(var.callers, name, []))
    }
  }

  # Settings whose values Secret Manager has, each with the setting without which it would be of no use.
  secret_settings = { WEBHOOK_SECRET = { secret = "webhook-secret", goes_with = "WEBHOOK_URL" } }
  # The others that the saga declares, each with its service.
  known_settings = flatten([
    for name, service in local.topology.services :
    [for setting in service.settings : "${name}.${setting}" if !can(local.secret_settings[setting])]
  ])

  # The services that read messages.
  readers = toset([for subscription in local.subscriptions : subscription.service if subscription.service != null])

  # Known before the services exist, so that a service can be told its own.
  urls = {
    for service in keys(local.services) :
    service => "https://${service}-${data.google_project.project.number}.${var.region}.run.app"
  }

  # Where customers find the shop.
  shop_url = var.domain == null ? local.urls.frontend : "https://${var.domain}"

  # What every program of the image needs.
  common_environment = {
    BACKEND            = "gcp"
    FIRESTORE_DATABASE = var.firestore_database
    LOG_LEVEL          = var.log_level
    PROJECT_ID         = var.project
  }
  # What every service needs besides. Cloud Monitoring takes no metric that does not say where it is from.
  service_environment = merge(
    { SAGA_DEADLINE_SECONDS = tostring(var.deadline_seconds), TELEMETRY = var.telemetry },
    var.telemetry == "google" ? { OTEL_RESOURCE_ATTRIBUTES = "cloud.platform=gcp_cloud_run,cloud.region=${var.region}" } : {},
  )
  environments = {
    for service, own in local.services : service => merge(local.common_environment, local.service_environment, own.settings)
  }

  # Cloud Run's IAM checks who pushes, and takes the signature off the token: a service could not check it again. Where
  # messages are pulled, a service still answers HTTP, and nobody may push to it.
  pushed_environment = { PUSH_AUTH = "platform", SUBSCRIBER = "push" }

  # How a service that answers people tells customers apart.
  customer_environment = var.customers == null ? {} : {
    CUSTOMER_AUTH     = "oidc"
    CUSTOMER_ISSUER   = var.customers.issuer
    CUSTOMER_AUDIENCE = var.customers.audience
    CUSTOMER_CLAIM    = var.customers.claim
  }

  # What runs when it is asked to. data-init loads users and stock; the doctor proves that stock, money and records are
  # right, and mends them as the janitor would, with the janitor's rights.
  jobs = {
    data-init = { script = "dist/programs/data-init.js", identity = "data-init" }
    doctor    = { script = "dist/programs/doctor.js", identity = "janitor" }
  }
}
