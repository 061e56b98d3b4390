# One identity each: the services, who loads the stock, who pushes, who asks for sweeps, who builds the image.
resource "google_service_account" "identity" {
  for_each     = toset(concat(keys(local.services), ["data-init", "push", "sweep", "builder"]))
  account_id   = "saga-${each.key}"
  display_name = "order-saga: ${each.key}"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = merge([
    for service, own in local.services : { for topic in own.publishes : "${service}/${topic}" => { service = service, topic = topic } }
  ]...)
  topic  = google_pubsub_topic.topic[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.identity[each.value.service].member
}

# Every service asks at its start whether all topics and its own subscriptions are there. That shows it no messages.
resource "google_pubsub_topic_iam_binding" "viewers" {
  for_each = local.topology.topics
  topic    = google_pubsub_topic.topic[each.key].name
  role     = "roles/pubsub.viewer"
  members  = [for service in keys(local.services) : google_service_account.identity[service].member]
}

resource "google_pubsub_subscription_iam_member" "viewer" {
  for_each     = { for name, subscription in local.subscriptions : name => subscription.service if subscription.service != null }
  subscription = google_pubsub_subscription.subscription[each.key].name
  role         = "roles/pubsub.viewer"
  member       = google_service_account.identity[each.value].member
}

resource "google_pubsub_subscription_iam_member" "subscriber" {
  for_each = {
    for name, subscription in local.subscriptions : name => subscription.service
    if subscription.service != null && (var.subscriber == "pull" || var.switching)
  }
  subscription = google_pubsub_subscription.subscription[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.identity[each.value].member
}

# Firestore knows rights on a database, not on a collection: the services keep out of each other's documents by
# themselves. The database is named, not referred to: at a restore, its rights come before it does.
resource "google_project_iam_member" "database_user" {
  for_each = toset(concat(keys(local.services), ["data-init"]))
  project  = var.project
  role     = "roles/datastore.user"
  member   = google_service_account.identity[each.key].member

  condition {
    title      = "The database of order-saga"
    expression = "resource.name == \"projects/${var.project}/databases/${var.firestore_database}\""
  }
}

# Traces and metrics can be written by the Telemetry API, never read. The requests of a service account count for its own
# project, so it needs no right to let them count for one (roles/serviceusage.serviceUsageConsumer).
resource "google_project_iam_member" "telemetry" {
  for_each = {
    for pair in setproduct(keys(local.services), ["roles/telemetry.tracesWriter", "roles/telemetry.metricsWriter"]) :
    join("/", pair) => { service = pair[0], role = pair[1] }
    if var.telemetry == "google"
  }
  project = var.project
  role    = each.value.role
  member  = google_service_account.identity[each.value.service].member
}

# Pub/Sub signs its pushes as this identity.
resource "google_service_account_iam_member" "push_token_creator" {
  service_account_id = google_service_account.identity["push"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = var.subscriber == "push" || var.switching ? local.readers : toset([])
  name     = google_cloud_run_v2_service.service[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.identity["push"].member
}

resource "google_cloud_run_v2_service_iam_member" "sweep" {
  name     = google_cloud_run_v2_service.service["janitor"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.identity["sweep"].member
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = merge([
    for service, own in local.services : { for member in own.callers : "${service}/${member}" => { service = service, member = member } }
  ]...)
  name     = google_cloud_run_v2_service.service[each.value.service].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value.member
}
