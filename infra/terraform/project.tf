data "google_project" "project" {
  project_id = var.project
}

resource "google_project_service" "api" {
  for_each = toset(concat(var.bigquery_events ? ["bigquery.googleapis.com"] : [], var.domain == null ? [] : ["compute.googleapis.com"], [
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudscheduler.googleapis.com",
    "cloudtrace.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
    "telemetry.googleapis.com",
  ]))
  service = each.key
  # The project may use them for something else, too.
  disable_on_destroy = false
}

# All that must be there before an image can be built and run: the first apply targets this, the second one nothing.
# A service that starts asks for its topics, so the rights to do so must have reached every corner of Google; alerts
# can't be set on metrics that are younger than a few minutes. The build takes that long.
resource "terraform_data" "groundwork" {
  depends_on = [
    google_artifact_registry_repository_iam_member.builder,
    google_bigquery_table_iam_member.pubsub,
    google_firestore_field.field,
    google_firestore_index.index,
    google_logging_metric.line,
    google_logging_metric.processed,
    google_logging_metric.processing_seconds,
    google_project_iam_member.builder,
    google_project_iam_member.database_user,
    google_project_iam_member.telemetry,
    google_pubsub_subscription_iam_member.bigquery_dead_letter_subscriber,
    google_pubsub_subscription_iam_member.dead_letter_subscriber,
    google_pubsub_subscription_iam_member.subscriber,
    google_pubsub_subscription_iam_member.viewer,
    google_pubsub_topic_iam_binding.viewers,
    google_pubsub_topic_iam_member.dead_letter_publisher,
    google_pubsub_topic_iam_member.publisher,
    google_secret_manager_secret_iam_member.reader,
    google_service_account_iam_member.push_token_creator,
    google_storage_bucket_iam_member.builder,
  ]
}
